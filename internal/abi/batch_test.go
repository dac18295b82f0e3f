// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestAppendReconcileBatch_golden verifies that a batch of requests equals the golden vectors.
func TestAppendReconcileBatch_golden(t *testing.T) {
	t.Parallel()
	var vectors map[string][]json.RawMessage
	golden(t, "payloads.json", &vectors)
	for _, vector := range vectors["ReconcileBatch"] {
		var batch ReconcileBatch
		if err := Decode(vector, &batch); err != nil {
			t.Fatal(err)
		}
		var parts [][]byte
		total := 0
		for _, req := range batch.Requests {
			part, err := AppendReconcileRequest(nil, req)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, part)
			total += len(part)
		}
		got := AppendReconcileBatch(nil, parts)
		var want, compact bytes.Buffer
		if err := json.Compact(&want, vector); err != nil {
			t.Fatal(err)
		}
		if err := json.Compact(&compact, got); err != nil || compact.String() != want.String() {
			t.Errorf("%v: got %s\nwant %s", err, got, want.String())
		}
		if size := ReconcileBatchSize(len(parts), total); size != len(got) {
			t.Errorf("its size is said to be %d, and is %d", size, len(got))
		}
	}
}

func TestDecodeReconcileBatchReply(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, reply string
		n           int
		err         string // in the error, or empty
	}{
		{name: "nothing to say", reply: "", n: 3},
		{name: "one of each", reply: `{"results":[{},{"requeueAfterMillis":5},{"error":{"reason":"Invalid"}}]}`, n: 3},
		{name: "an error as a later guest writes it", reply: `{"results":[{"error":{"reason":"Invalid","metadata":{}}}]}`, n: 1},
		{name: "no error", reply: `{"results":[{"error":null,"requeueAfterMillis":5}]}`, n: 1},
		{name: "too short", reply: `{"results":[{}]}`, n: 2, err: "1 results for 2 requests"},
		{name: "too long", reply: `{"results":[{},{}]}`, n: 1, err: "2 results for 1 requests"},
		{name: "without results", reply: `{}`, n: 1, err: "0 results for 1 requests"},
		{name: "a member too many", reply: `{"results":[{"requeue":true}]}`, n: 1, err: `unknown field "requeue"`},
		{name: "both", reply: `{"results":[{},{"error":{},"requeueAfterMillis":5}]}`, n: 2, err: "results[1]: both"},
		{name: "an error that is a word", reply: `{"results":[{"error":"no"}]}`, n: 1, err: "results[0]: error is not an object"},
		{name: "in the past", reply: `{"results":[{"requeueAfterMillis":-1}]}`, n: 1, err: "results[0]: requeueAfterMillis is -1"},
		{name: "a list", reply: `[{}]`, n: 1, err: "want {…}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := DecodeReconcileBatchReply([]byte(tt.reply), tt.n)
			if tt.err == "" && (err != nil || len(got) != tt.n) {
				t.Errorf("got %+v, %v, want %d results", got, err, tt.n)
			}
			if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			for _, r := range got {
				if tt.name == "no error" && r.Error != nil {
					t.Errorf("null became %s", r.Error)
				}
			}
		})
	}
}

// FuzzDecodeReconcileBatchReply checks that every reply of a guest results in an error or in as many results as
// requests, each of which is valid.
func FuzzDecodeReconcileBatchReply(f *testing.F) {
	for _, seed := range []string{``, `{}`, `{"results":[{},{"requeueAfterMillis":5}]}`, `{"results":[{"error":{"reason":"Invalid"}},{"error":null}]}`} {
		f.Add([]byte(seed), 2)
	}
	f.Fuzz(func(t *testing.T, reply []byte, n int) {
		if n < 0 || n > MaxBatch {
			return
		}
		results, err := DecodeReconcileBatchReply(reply, n)
		if err != nil {
			return
		}
		if len(results) != n {
			t.Fatalf("%d results for %d requests", len(results), n)
		}
		for _, r := range results {
			if r.Check() != nil || r.Error != nil && (r.RequeueAfterMillis != 0 || !json.Valid(r.Error) || r.Error[0] != '{') {
				t.Errorf("got %+v", r)
			}
		}
	})
}
