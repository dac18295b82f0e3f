// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// maxBatch is the maximum number of requests in one call, according to the guest ABI.
const maxBatch = 256

// batchInput is the input of the export reconcile_batch.
type batchInput struct {
	requests []json.Raw
}

// UnmarshalK1s reads the input. The requests are decoded one by one later, so that an invalid one does not affect the
// others.
func (in *batchInput) UnmarshalK1s(d *json.Decoder) {
	for name := range d.Members() {
		if name != "requests" {
			continue
		}
		for range d.Elements() {
			in.requests = append(in.requests, d.Raw())
		}
	}
}

// serveReconcileBatch serves the export reconcile_batch. It handles each request as the export reconcile does. An empty
// reply means that no request failed or asked for a requeue.
func serveReconcileBatch(r *registration, input string) ([]byte, error) {
	var in batchInput
	if err := json.Unmarshal(input, &in); err != nil {
		return nil, NewError(ReasonBadRequest, "decode the batch: "+err.Error())
	}
	var e json.Encoder
	silent := true
	e.BeginObject()
	e.Key("results").BeginArray()
	for _, request := range in.requests {
		reply, err := serveReconcile(r, string(request))
		silent = silent && err == nil && len(reply) == 0
		switch {
		case err != nil:
			e.BeginObject()
			e.Key("error").Raw(json.Raw(statusOf(err)))
			e.EndObject()
		case len(reply) == 0:
			e.BeginObject()
			e.EndObject()
		default:
			e.Raw(json.Raw(reply))
		}
	}
	e.EndArray()
	e.EndObject()
	if silent {
		return nil, e.Err()
	}
	return e.Bytes(), e.Err()
}
