// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"testing"

	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// golden reads golden vectors, which the tests of the SDKs of other languages use too.
func golden(tb testing.TB, name string, into any) {
	tb.Helper()
	text := testfile.Read(tb, "testdata", name)
	if err := json.Unmarshal(text, into); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
}

func TestReply_golden(t *testing.T) {
	t.Parallel()
	var vectors []struct {
		Name  string
		Ptr   uint32
		Len   uint32
		Error bool
		Reply string
	}
	golden(t, "replies.json", &vectors)
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			packed, err := strconv.ParseUint(v.Reply, 0, 64)
			if err != nil {
				t.Fatal(err)
			}
			if got := NewReply(v.Ptr, v.Len, v.Error); uint64(got) != packed {
				t.Errorf("packed: got %#016x, want %s", uint64(got), v.Reply)
			}
			if r := Reply(packed); r.Ptr() != v.Ptr || r.Len() != v.Len || r.IsError() != v.Error {
				t.Errorf("unpacked: got %d, %d, %v, want %d, %d, %v", r.Ptr(), r.Len(), r.IsError(), v.Ptr, v.Len, v.Error)
			}
		})
	}
}

// TestNewReply_empty verifies that a result without bytes is the empty reply, whatever its pointer is.
func TestNewReply_empty(t *testing.T) {
	t.Parallel()
	if got := NewReply(4096, 0, false); got != 0 {
		t.Errorf("got %#x, want 0", uint64(got))
	}
	if r := Reply(4096 << 32); r.Len() != 0 || r.IsError() {
		t.Errorf("a pointer alone: got %d bytes, error %v", r.Len(), r.IsError())
	}
}

// payloads returns the types of the payloads, by name.
func payloads() map[string]func() any {
	return map[string]func() any{
		"ObjectKey":           func() any { return new(ObjectKey) },
		"ListRequest":         func() any { return new(ListRequest) },
		"WriteRequest":        func() any { return new(WriteRequest) },
		"ApplyRequest":        func() any { return new(ApplyRequest) },
		"PatchRequest":        func() any { return new(PatchRequest) },
		"DeleteRequest":       func() any { return new(DeleteRequest) },
		"EventRequest":        func() any { return new(EventRequest) },
		"ReconcileRequest":    func() any { return new(ReconcileRequest) },
		"ReconcileResult":     func() any { return new(ReconcileResult) },
		"ReconcileBatch":      func() any { return new(ReconcileBatch) },
		"ReconcileBatchReply": func() any { return new(ReconcileBatchReply) },
		"AdmissionRequest":    func() any { return new(AdmissionRequest) },
		"AdmitRequest":        func() any { return new(AdmitRequest) },
		"AdmissionReply":      func() any { return new(AdmissionReply) },
		"HTTPRequest":         func() any { return new(HTTPRequest) },
		"HTTPResponse":        func() any { return new(HTTPResponse) },
		"Metadata":            func() any { return new(Metadata) },
		"Status":              func() any { return new(Status) },
	}
}

// same reports whether two JSON texts have equal values.
func same(tb testing.TB, a, b []byte) bool {
	tb.Helper()
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		tb.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}

// TestPayloads_golden verifies that every vector is decoded, and encoded again as it was: no field is lost, renamed or
// added.
func TestPayloads_golden(t *testing.T) {
	t.Parallel()
	var vectors map[string][]json.RawMessage
	golden(t, "payloads.json", &vectors)
	for name, make := range payloads() {
		if len(vectors[name]) == 0 {
			t.Errorf("%s has no vectors", name)
		}
		for i, vector := range vectors[name] {
			t.Run(fmt.Sprintf("%s %d", name, i), func(t *testing.T) {
				t.Parallel()
				value := make()
				if err := Decode(vector, value); err != nil {
					t.Fatal(err)
				}
				decodedAgain, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				if !same(t, vector, decodedAgain) {
					t.Errorf("got  %s\nwant %s", decodedAgain, vector)
				}
			})
		}
		delete(vectors, name)
	}
	for name := range vectors {
		t.Errorf("there is no payload %s", name)
	}
}

// TestAppendReconcileRequest_golden verifies the encoding of requests, which the host writes without encoding/json, in
// a fixed order.
func TestAppendReconcileRequest_golden(t *testing.T) {
	t.Parallel()
	written(t, "ReconcileRequest", AppendReconcileRequest)
}

func TestAppendAdmissionRequest_golden(t *testing.T) {
	t.Parallel()
	written(t, "AdmissionRequest", AppendAdmissionRequest)
}

// written verifies that requests are encoded like their vectors.
func written[T any](t *testing.T, name string, write func([]byte, T) ([]byte, error)) {
	t.Helper()
	var vectors map[string][]json.RawMessage
	golden(t, "payloads.json", &vectors)
	for _, vector := range vectors[name] {
		var req T
		if err := Decode(vector, &req); err != nil {
			t.Fatal(err)
		}
		got, err := write(nil, req)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := json.Compact(&want, vector); err != nil {
			t.Fatal(err)
		}
		if compact := new(bytes.Buffer); json.Compact(compact, got) != nil || compact.String() != want.String() {
			t.Errorf("got  %s\nwant %s", got, want.String())
		}
	}
}
