// SPDX-License-Identifier: Apache-2.0

//go:build wasip1

// Command extism-decoder is the benchmark's guest in standard Go for Extism with the decoder of the k1s SDK instead of
// encoding/json, so that only the host differs from the guest with the SDK.
package main

import (
	"strconv"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/test/bench/guests/go/decoder"
	"github.com/k1s-io/k1s/test/bench/guests/go/pdk"
	"github.com/k1s-io/k1s/test/bench/object"
)

func init() { pdk.Work = work }

// request is the request that the host sends.
type request struct {
	kind string
	item *decoder.Object
}

// UnmarshalK1s decodes the request.
func (r *request) UnmarshalK1s(d *json.Decoder) {
	for name := range d.Members() {
		switch {
		case name == "kind":
			r.kind = d.String()
		case name == "object" && !d.Null():
			r.item = new(decoder.Object)
			r.item.UnmarshalK1s(d)
		}
	}
}

func work(input []byte) ([]byte, error) {
	var req request
	if err := json.Unmarshal(string(input), &req); err != nil {
		return nil, err
	}
	if req.kind != "Item" || req.item == nil {
		return nil, nil
	}
	var e json.Encoder
	e.BeginObject()
	e.Key("apiVersion").String(object.APIVersion)
	e.Key("kind").String("Category")
	e.Key("namespace").String(req.item.Metadata.Namespace)
	e.Key("name").String(req.item.Spec.Category)
	e.EndObject()
	answer, err := pdk.Get(e.Bytes())
	if err != nil {
		return nil, err
	}
	var c decoder.Object
	if err := json.Unmarshal(string(answer), &c); err != nil {
		return nil, err
	}
	millis := object.RequeueAfterMillis(&req.item.Object, &c.Object)
	return []byte(`{"requeueAfterMillis":` + strconv.FormatInt(millis, 10) + `}`), nil
}

func main() {}
