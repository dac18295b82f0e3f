// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"fmt"
)

// batchOverhead is the maximum number of bytes that the batch adds to its requests, in addition to a comma between
// requests.
const batchOverhead = len(`{"requests":[]}`)

// AppendReconcileBatch appends the JSON of a batch of requests that are already JSON.
func AppendReconcileBatch(dst []byte, requests [][]byte) []byte {
	dst = append(dst, `{"requests":[`...)
	for i, r := range requests {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, r...)
	}
	return append(dst, `]}`...)
}

// ReconcileBatchSize returns how many bytes AppendReconcileBatch appends for n requests with the given total size.
func ReconcileBatchSize(n, bytes int) int { return batchOverhead + max(n-1, 0) + bytes }

// DecodeReconcileBatchReply decodes the reply to a batch of n requests.
func DecodeReconcileBatchReply(reply []byte, n int) ([]ReconcileBatchResult, error) {
	if len(reply) == 0 {
		return make([]ReconcileBatchResult, n), nil
	}
	results, count := make([]ReconcileBatchResult, 0, n), 0
	err := eachMember(reply, func(name, value []byte) error {
		if string(name) != `"results"` {
			return fmt.Errorf("decode payload: unknown field %.64s", name)
		}
		return eachElement(value, func(value []byte) error {
			if count++; count > n {
				return nil // additional results are only counted
			}
			var result ReconcileBatchResult
			if err := decodeStrict(value, &result); err != nil {
				return fmt.Errorf("results[%d]: %w", len(results), err)
			}
			if err := result.check(); err != nil {
				return fmt.Errorf("results[%d]: %w", len(results), err)
			}
			results = append(results, result)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	if count != n {
		return nil, fmt.Errorf("%d results for %d requests", count, n)
	}
	return results, nil
}

// check returns an error if the result is invalid. It treats an error that is null as no error.
func (r *ReconcileBatchResult) check() error {
	if string(r.Error) == "null" {
		r.Error = nil
	}
	if r.Error != nil && r.RequeueAfterMillis != 0 {
		return fmt.Errorf("both requeueAfterMillis and an error")
	}
	if r.Error != nil && r.Error[0] != '{' {
		return fmt.Errorf("error is not an object")
	}
	return r.Check()
}

// Check returns an error if the result is invalid.
func (r ReconcileResult) Check() error {
	if ms := r.RequeueAfterMillis; ms < 0 || ms > MaxRequeueAfterMillis {
		return fmt.Errorf("requeueAfterMillis is %d, want 0 to %d", ms, int64(MaxRequeueAfterMillis))
	}
	return nil
}
