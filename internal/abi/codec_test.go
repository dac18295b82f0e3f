// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/k1s-io/k1s/internal/testenv/table"
)

type payloadCase struct {
	Name, Reason, Payload, Want string
}

func TestDecode_invalid(t *testing.T) {
	t.Parallel()
	tests := append(table.Read[payloadCase](t, "invalid.yaml"), payloadCase{
		Name: "nested without end", Reason: "the decoder has a limit", Payload: `{"name":` + strings.Repeat("[", 20_000), Want: "exceeded max depth",
	})
	for _, tt := range tests {
		t.Run(tt.Name, func(t *testing.T) {
			t.Parallel()
			err := Decode([]byte(tt.Payload), &ObjectKey{})
			if err == nil || !strings.Contains(err.Error(), tt.Want) {
				t.Errorf("%s: got %v, want %q in it", tt.Reason, err, tt.Want)
			}
		})
	}
}

func TestDecodeHead(t *testing.T) {
	t.Parallel()
	for _, tt := range table.Read[payloadCase](t, "heads.yaml") {
		t.Run(tt.Name, func(t *testing.T) {
			t.Parallel()
			head, err := DecodeHead([]byte(tt.Payload))
			if tt.Want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.Want) {
					t.Errorf("got %v, want %q in it", err, tt.Want)
				}
				return
			}
			if err != nil || head.Kind != "ConfigMap" || head.Metadata.Name != "a" || head.Metadata.Namespace != "b" {
				t.Errorf("got %+v, %v", head, err)
			}
		})
	}
}

func TestAppendReconcileRequest_tooLarge(t *testing.T) {
	t.Parallel()
	if _, err := AppendReconcileRequest(nil, ReconcileRequest{Object: make([]byte, MaxPayload+1)}); err == nil {
		t.Error("an object beyond the largest payload is taken")
	}
}

func TestAppendAdmissionRequest_tooLarge(t *testing.T) {
	t.Parallel()
	large := make([]byte, MaxPayload+1)
	for name, req := range map[string]AdmissionRequest{"object": {Object: large}, "old object": {OldObject: large}} {
		if _, err := AppendAdmissionRequest(nil, req); err == nil {
			t.Errorf("%s: beyond the largest payload it is taken", name)
		}
	}
}

// FuzzDecode checks that no payload causes a panic, and that an accepted payload is unchanged after it is encoded and
// decoded again.
func FuzzDecode(f *testing.F) {
	var vectors map[string][]json.RawMessage
	golden(f, "payloads.json", &vectors)
	for _, list := range vectors {
		for _, vector := range list {
			f.Add([]byte(vector))
		}
	}
	f.Add([]byte(`{"apiVersion":"v1"}{`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		for name, make := range payloads() {
			value := make()
			if Decode(payload, value) != nil {
				continue
			}
			if !json.Valid(payload) {
				t.Fatalf("%s: accepted what is no JSON", name)
			}
			written, err := json.Marshal(value)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			decodedAgain := make()
			if err := Decode(written, decodedAgain); err != nil {
				t.Fatalf("%s: %s: %v", name, written, err)
			}
			rewritten, err := json.Marshal(decodedAgain)
			if err != nil || string(rewritten) != string(written) {
				t.Fatalf("%s: got %s, %v, want %s", name, rewritten, err, written)
			}
		}
		_, _ = DecodeHead(payload)
	})
}

// FuzzAppendReconcileRequest checks that a request is decoded to the same request, whatever its names are.
func FuzzAppendReconcileRequest(f *testing.F) {
	f.Add("inventory.example.com/v1alpha1", "Category", "shop", "tools", 1)
	f.Add("v1", "Namespace", "", `system:"x"<\`+"\x00\x7f\u2028", -1)
	f.Add("\xff", "é", "\n", "", 1<<31)
	f.Fuzz(func(t *testing.T, apiVersion, kind, namespace, name string, attempt int) {
		want := ReconcileRequest{
			ObjectKey: ObjectKey{APIVersion: apiVersion, Kind: kind, Namespace: namespace, Name: name},
			Object:    json.RawMessage(`{"a":[1,"}"]}`), Attempt: attempt,
		}
		payload, err := AppendReconcileRequest([]byte("before"), want)
		if err != nil {
			t.Fatal(err)
		}
		rest, ok := strings.CutPrefix(string(payload), "before")
		if !ok || !utf8.ValidString(rest) {
			t.Fatalf("got %q", payload)
		}
		var got ReconcileRequest
		if err := Decode([]byte(rest), &got); err != nil {
			t.Fatalf("%s: %v", rest, err)
		}
		for _, s := range []*string{&want.APIVersion, &want.Kind, &want.Namespace, &want.Name} {
			if !utf8.ValidString(*s) { // JSON is UTF-8
				return
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// FuzzAppendAdmissionRequest checks the same for an admission request, and that object and oldObject are not confused.
func FuzzAppendAdmissionRequest(f *testing.F) {
	f.Add("inventory.example.com/v1alpha1", "Item", "shop", "hammer", true, true)
	f.Add("v1", "Namespace", "", `a"},"object":{"b":1}`, true, false)
	f.Add("\xff", "é", "\n", "", false, true)
	f.Fuzz(func(t *testing.T, apiVersion, kind, namespace, name string, isNew, isOld bool) {
		want := AdmissionRequest{
			ObjectKey: ObjectKey{APIVersion: apiVersion, Kind: kind, Namespace: namespace, Name: name},
			Object:    json.RawMessage("null"), OldObject: json.RawMessage("null"),
		}
		sent := AdmissionRequest{ObjectKey: want.ObjectKey}
		if isNew {
			want.Object = json.RawMessage(`{"a":[1,"}"]}`)
			sent.Object = want.Object
		}
		if isOld {
			want.OldObject = json.RawMessage(`{"oldObject":{}}`)
			sent.OldObject = want.OldObject
		}
		payload, err := AppendAdmissionRequest([]byte("before"), sent)
		if err != nil {
			t.Fatal(err)
		}
		rest, ok := strings.CutPrefix(string(payload), "before")
		if !ok || !utf8.ValidString(rest) {
			t.Fatalf("got %q", payload)
		}
		var got AdmissionRequest
		if err := Decode([]byte(rest), &got); err != nil {
			t.Fatalf("%s: %v", rest, err)
		}
		for _, s := range []string{apiVersion, kind, namespace, name} {
			if !utf8.ValidString(s) { // JSON is UTF-8
				got.ObjectKey = want.ObjectKey
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}
