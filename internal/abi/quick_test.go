// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"encoding/json"
	"testing"
)

var quickSeeds = []string{
	``, `{}`, ` { } `, `{"apiVersion":"v1","kind":"Item","namespace":"shop","name":"a"}`,
	"{\n\t\"name\" : \"a\" , \"kind\":\"\"}", `{"name":"a","name":"b"}`, `{"name":null}`, `{"Name":"a"}`, `{"name":"a",}`, `{,"name":"a"}`,
	`{"name":"a"}{}`, `{"name":"a"} x`, `{"name":"\u0061"}`, "{\"name\":\"\xff\"}", "{\"name\":\"ä\"}", "{\"name\":\"a\x01\"}", `{"na`, `{"name":"a`, `{"name"`,
	`{"requeueAfterMillis":0}`, `{"requeueAfterMillis":30000}`, `{"requeueAfterMillis":-1}`, `{"requeueAfterMillis":01}`, `{"requeueAfterMillis":1.5}`,
	`{"requeueAfterMillis":1e3}`, `{"requeueAfterMillis":999999999999999999}`, `{"requeueAfterMillis":9223372036854775808}`, `{"requeueAfterMillis":1,"requeueAfterMillis":2}`,
	`{"requeueAfterMillis": 1 }`, `[]`, `null`, `"x"`,
}

// checkQuick checks that quick decodes a payload like encoding/json.
func checkQuick[T comparable](t *testing.T, payload []byte) {
	t.Helper()
	var got, want T
	if !quick(payload, &got) {
		if got != want {
			t.Errorf("%q: not decoded, but changed to %+v", payload, got)
		}
		return
	}
	if err := json.Unmarshal(payload, &want); err != nil || got != want {
		t.Errorf("%q: decoded to %+v, want %+v (%v)", payload, got, want, err)
	}
}

func FuzzQuick(f *testing.F) {
	for _, s := range quickSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		checkQuick[ObjectKey](t, payload)
		checkQuick[ReconcileResult](t, payload)
	})
}

// TestQuick_usual verifies that quick decodes the usual payloads: checkQuick tests nothing if quick returns false.
func TestQuick_usual(t *testing.T) {
	t.Parallel()
	for _, s := range []string{`{"apiVersion":"v1","kind":"Item","namespace":"shop","name":"a"}`, `{"name":"a","kind":"B"}`, `{}`} {
		if !quick([]byte(s), &ObjectKey{}) {
			t.Errorf("%s is not decoded quickly", s)
		}
	}
	for _, s := range []string{`{"requeueAfterMillis":30000}`, `{"requeueAfterMillis": 0}`, `{}`} {
		if !quick([]byte(s), &ReconcileResult{}) {
			t.Errorf("%s is not decoded quickly", s)
		}
	}
}

func BenchmarkDecode_key(b *testing.B) {
	payload := []byte(`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category","namespace":"shop","name":"laptops"}`)
	b.ReportAllocs()
	for b.Loop() {
		var key ObjectKey
		if err := Decode(payload, &key); err != nil {
			b.Fatal(err)
		}
	}
}
