// SPDX-License-Identifier: Apache-2.0

package json_test

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// value decodes any JSON into the types of encoding/json, so that the two can be compared.
type value struct{ v any }

func (v *value) UnmarshalK1s(d *json.Decoder) {
	switch d.Kind() {
	case json.KindNull:
		d.Null()
		v.v = nil
	case json.KindBool:
		v.v = d.Bool()
	case json.KindNumber:
		v.v = d.Float()
	case json.KindString:
		v.v = d.String()
	case json.KindArray:
		list := []any{}
		for range d.Elements() {
			var element value
			element.UnmarshalK1s(d)
			list = append(list, element.v)
		}
		v.v = list
	case json.KindObject:
		m := map[string]any{}
		for name := range d.Members() {
			var member value
			member.UnmarshalK1s(d)
			m[name] = member.v
		}
		v.v = m
	default:
		d.Skip() // reports the error
	}
}

func (v value) MarshalK1s(e *json.Encoder) {
	switch v := v.v.(type) {
	case nil:
		e.Null()
	case bool:
		e.Bool(v)
	case float64:
		e.Float(v)
	case string:
		e.String(v)
	case []any:
		e.BeginArray()
		for _, element := range v {
			e.Value(value{element})
		}
		e.EndArray()
	case map[string]any:
		e.BeginObject()
		for name, member := range v {
			e.Key(name).Value(value{member})
		}
		e.EndObject()
	}
}
