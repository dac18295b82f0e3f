// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// settings are the settings of the WasmPlugin.
type settings struct {
	// lenient means that violated rules warn instead of denying the request.
	lenient         bool
	defaultCategory string
}

// settingsSchema lets the operator reject invalid settings before the plugin receives them.
const settingsSchema json.Raw = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "validation_level": {
      "type": "string",
      "enum": ["strict", "lenient"],
      "default": "strict",
      "description": "Whether Items that break a rule are denied (strict) or warned of (lenient)."
    },
    "default_category": {
      "type": "string",
      "maxLength": 253,
      "default": "",
      "description": "The category of Items without one; empty leaves them without."
    }
  }
}`

// UnmarshalK1s decodes the settings and sets the defaults of absent ones.
func (s *settings) UnmarshalK1s(d *json.Decoder) {
	*s = settings{}
	for name := range d.Members() {
		switch name {
		case "validation_level":
			switch d.String() {
			case "strict", "":
			case "lenient":
				s.lenient = true
			default:
				d.Fail("must be strict or lenient")
			}
		case "default_category":
			s.defaultCategory = d.String()
		default:
			d.Skip()
			d.Fail("is not a setting of this plugin")
		}
	}
}
