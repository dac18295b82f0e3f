// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	stdjson "encoding/json"
	"reflect"
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

func decodeStd(t *testing.T, text string, into any) {
	t.Helper()
	if err := stdjson.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func equalAny(a, b any) bool { return reflect.DeepEqual(a, b) }

// Widget is a type as the author of a plugin would write it.
type Widget struct {
	k1s.ObjectMeta
	Size  int64
	Phase string
}

func (*Widget) TypeRef() k1s.TypeReference {
	return k1s.TypeReference{APIVersion: "example.com/v1", Kind: "Widget"}
}

func (w *Widget) UnmarshalK1s(d *json.Decoder) {
	*w = Widget{}
	for name := range d.Members() {
		switch name {
		case "metadata":
			w.ObjectMeta.UnmarshalK1s(d)
		case "spec":
			for name := range d.Members() {
				if name == "size" {
					w.Size = d.Int()
				}
			}
		case "status":
			for name := range d.Members() {
				if name == "phase" {
					w.Phase = d.String()
				}
			}
		}
	}
}

func (w *Widget) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	w.TypeRef().WriteMembers(e)
	e.Key("metadata").Value(&w.ObjectMeta)
	if w.Size != 0 {
		e.Key("spec").BeginObject()
		e.Key("size").Int(w.Size)
		e.EndObject()
	}
	if w.Phase != "" {
		e.Key("status").BeginObject()
		e.Key("phase").String(w.Phase)
		e.EndObject()
	}
	e.EndObject()
}

// widget returns a Widget with that name in the namespace shop.
func widget(name string, size int64) *Widget {
	return &Widget{ObjectMeta: k1s.ObjectMeta{Namespace: "shop", Name: name}, Size: size}
}
