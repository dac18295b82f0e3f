// SPDX-License-Identifier: Apache-2.0

// Package work defines the work of every plugin that the benchmark measures, in whatever language: the input, the
// object that it reads, and the result that it must return. The function Run is the native peer, and its result is what
// the others are compared with.
//
// One reconcile of an Item reads the request with the whole object (1.5 KB), reads the Item's Category from the host
// once (0.9 KB), and replies with a number that depends on nearly everything it has read. guests/README.md describes
// the algorithm.
package work

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/test/bench/object"
)

//go:embed item.json
var item []byte

//go:embed category.json
var category []byte

// Category returns the Category that the Item refers to, as it is in the operator's cache.
func Category() []byte { return bytes.TrimSpace(category) }

// CategoryKey returns the key of the Category.
func CategoryKey() abi.ObjectKey {
	return abi.ObjectKey{APIVersion: object.APIVersion, Kind: "Category", Namespace: "shop", Name: "laptops"}
}

// Request returns the request of the reconcile, with the whole Item.
func Request() abi.ReconcileRequest {
	return abi.ReconcileRequest{
		ObjectKey: abi.ObjectKey{APIVersion: object.APIVersion, Kind: "Item", Namespace: "shop", Name: "laptop-14"},
		Object:    bytes.TrimSpace(item), Attempt: 1,
	}
}

// Input returns the request in JSON, which is the input of the export reconcile.
func Input() []byte {
	input, err := abi.AppendReconcileRequest(nil, Request())
	if err != nil {
		panic(err) // only a programming error can cause this
	}
	return input
}

// Run does the work with encoding/json and typed structs, and returns the reply. It gets the Category with a request
// for an object, as k1s_client_get does.
func Run(input []byte, get func(request []byte) (object []byte, err error)) ([]byte, error) {
	var req struct {
		Kind    string         `json:"kind"`
		Object  *object.Object `json:"object"`
		Attempt int            `json:"attempt"`
	}
	if err := json.Unmarshal(input, &req); err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	if req.Kind != "Item" || req.Object == nil {
		return nil, nil
	}
	ask, err := json.Marshal(abi.ObjectKey{
		APIVersion: object.APIVersion, Kind: "Category", Namespace: req.Object.Metadata.Namespace, Name: req.Object.Spec.Category,
	})
	if err != nil {
		return nil, fmt.Errorf("ask for the Category: %w", err)
	}
	answer, err := get(ask)
	if err != nil {
		return nil, err
	}
	var cat object.Object
	if err := json.Unmarshal(answer, &cat); err != nil {
		return nil, fmt.Errorf("read the Category: %w", err)
	}
	return json.Marshal(abi.ReconcileResult{RequeueAfterMillis: object.RequeueAfterMillis(req.Object, &cat)})
}
