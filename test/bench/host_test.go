// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"

	"github.com/k1s-io/k1s/internal/abi"
)

// noHost is a cluster that guests which have nothing to do never ask; an answer would be measured too.
type noHost struct{}

var errAsked = errors.New("a benchmark's guest asked for the cluster")

// category is a Category as the cache has it, root of its tree and up to date.
const category = `{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category","metadata":{"name":"tools","namespace":"shop",` +
	`"uid":"7d1f1f3e-8a3b-4a07-9d0a-0f6a3f0e0b11","resourceVersion":"4711","generation":1,"creationTimestamp":"2026-01-01T00:00:00Z",` +
	`"labels":{"app.kubernetes.io/part-of":"shop"}},"spec":{"name":"Tools","description":"Everything to build with"},` +
	`"status":{"depth":0,"path":"tools","itemCount":3,"subcategoryCount":0,"observedGeneration":1,"conditions":[` +
	`{"type":"DepthWithinLimit","status":"True","reason":"WithinLimit","message":"The depth is within the limit of 10 (max_depth)","lastTransitionTime":"2026-01-01T00:00:00Z"},` +
	`{"type":"Ready","status":"True","reason":"Reconciled","message":"ok","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`

func (noHost) Get(context.Context, abi.ObjectKey) ([]byte, error) { return nil, errAsked }
func (noHost) List(context.Context, abi.ListRequest) ([]byte, error) {
	return []byte(`{"items":[]}`), nil
}
func (noHost) Create(context.Context, abi.WriteRequest) ([]byte, error)       { return nil, errAsked }
func (noHost) Update(context.Context, abi.WriteRequest) ([]byte, error)       { return nil, errAsked }
func (noHost) UpdateStatus(context.Context, abi.WriteRequest) ([]byte, error) { return nil, errAsked }
func (noHost) Patch(context.Context, abi.PatchRequest) ([]byte, error)        { return nil, errAsked }
func (noHost) PatchStatus(context.Context, abi.PatchRequest) ([]byte, error) {
	return []byte(category), nil
}
func (noHost) Apply(context.Context, abi.ApplyRequest) ([]byte, error) { return nil, errAsked }
func (noHost) Delete(context.Context, abi.DeleteRequest) error         { return errAsked }
func (noHost) Event(context.Context, abi.EventRequest) error           { return nil }
