// SPDX-License-Identifier: Apache-2.0

//go:build wasip1

// Command extism-decoder is the benchmark's guest in standard Go for Extism with the decoder of the k1s SDK instead of
// encoding/json, so that only the host differs from the guest with the SDK.
package main

import (
	"errors"
	"strconv"
	"time"

	pdk "github.com/extism/go-pdk"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/test/bench/guests/go/objects"
)

//go:wasmimport extism:host/user get
func userGet(request uint64) uint64

func get(request []byte) (string, error) {
	question := pdk.AllocateBytes(request)
	defer question.Free()
	at := userGet(question.Offset())
	if at == 0 {
		return "", errors.New("no answer")
	}
	answer := pdk.FindMemory(at)
	defer answer.Free()
	return string(answer.ReadBytes()), nil
}

// request is the request that the host sends.
type request struct {
	kind string
	item *objects.Item
}

// UnmarshalK1s decodes the request.
func (r *request) UnmarshalK1s(d *json.Decoder) {
	for name := range d.Members() {
		switch {
		case name == "kind":
			r.kind = d.String()
		case name == "object" && !d.Null():
			r.item = new(objects.Item)
			r.item.UnmarshalK1s(d)
		}
	}
}

func work() ([]byte, error) {
	var req request
	if err := json.Unmarshal(pdk.InputString(), &req); err != nil {
		return nil, err
	}
	if req.kind != "Item" || req.item == nil {
		return nil, nil
	}
	var e json.Encoder
	e.BeginObject()
	e.Key("apiVersion").String(objects.APIVersion)
	e.Key("kind").String("Category")
	e.Key("namespace").String(req.item.Namespace)
	e.Key("name").String(req.item.Category)
	e.EndObject()
	object, err := get(e.Bytes())
	if err != nil {
		return nil, err
	}
	var c objects.Category
	if err := json.Unmarshal(object, &c); err != nil {
		return nil, err
	}
	millis := int64(objects.RequeueAfter(req.item, &c) / time.Millisecond)
	return []byte(`{"requeueAfterMillis":` + strconv.FormatInt(millis, 10) + `}`), nil
}

//go:wasmexport reconcile
func reconcile() int32 {
	reply, err := work()
	if err != nil {
		pdk.SetError(err)
		return 1
	}
	pdk.Output(reply)
	return 0
}

func main() {}
