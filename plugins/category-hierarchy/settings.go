// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// settings are the settings of the WasmPlugin.
type settings struct {
	maxDepth          int64
	autoCreateParents bool
}

// settingsSchema lets the operator reject invalid settings before the plugin receives them.
const settingsSchema json.Raw = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "max_depth": {
      "type": "integer",
      "minimum": 1,
      "default": 10,
      "description": "How deep a category may be; a root has depth 0."
    },
    "auto_create_parents": {
      "type": "boolean",
      "default": false,
      "description": "Whether a parent that does not exist is created."
    }
  }
}`

// UnmarshalK1s decodes the settings and sets the defaults of absent ones.
func (s *settings) UnmarshalK1s(d *json.Decoder) {
	*s = settings{maxDepth: 10}
	for name := range d.Members() {
		switch name {
		case "max_depth":
			if s.maxDepth = d.Int(); s.maxDepth < 1 {
				d.Fail("must be at least 1")
			}
		case "auto_create_parents":
			s.autoCreateParents = d.Bool()
		default:
			d.Skip()
			d.Fail("is not a setting of this plugin")
		}
	}
}
