// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/testenv/table"
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
	type replyCase struct {
		Name, Err string
		Reply     table.JSON
		Requests  int
	}
	for _, tt := range table.Read[replyCase](t, "batch_replies.yaml") {
		t.Run(tt.Name, func(t *testing.T) {
			t.Parallel()
			got, err := DecodeReconcileBatchReply([]byte(tt.Reply), tt.Requests)
			if tt.Err == "" && (err != nil || len(got) != tt.Requests) {
				t.Errorf("got %+v, %v, want %d results", got, err, tt.Requests)
			}
			if tt.Err != "" && (err == nil || !strings.Contains(err.Error(), tt.Err)) {
				t.Errorf("got %v, want %q", err, tt.Err)
			}
			for _, r := range got {
				if tt.Name == "no error" && r.Error != nil {
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
