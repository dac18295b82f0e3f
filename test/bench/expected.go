// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/test/bench/work"
)

// expected returns the reply that every guest must return, which is the reply of the native code.
func expected() ([]byte, error) {
	return work.Run(work.Input(), func([]byte) ([]byte, error) { return work.Category(), nil })
}

// expectedMillis returns the requeueAfterMillis of that reply.
func expectedMillis() (int64, error) {
	reply, err := expected()
	if err != nil {
		return 0, err
	}
	var result abi.ReconcileResult
	err = json.Unmarshal(reply, &result)
	return result.RequeueAfterMillis, err
}
