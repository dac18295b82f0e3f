// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"encoding/json"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/text"
)

// cleanWarnings removes secrets from the admission warnings of a reply, which the client of the API server receives. It
// returns any other reply unchanged.
func cleanWarnings(redact *plugin.Redactor, export string, reply []byte) []byte {
	if redact == nil || len(reply) == 0 || !plugin.InAdmission(export) || export == abi.ExportSetDefaults {
		return reply
	}
	var parsed abi.AdmissionReply
	if err := abi.Decode(reply, &parsed); err != nil {
		return reply
	}
	changed := false
	for i, w := range parsed.Warnings {
		clean := redact.Text(w)
		if clean == w {
			continue
		}
		// The replacement may be longer than the secret.
		parsed.Warnings[i], changed = text.Truncate(clean, abi.MaxWarning), true
	}
	if !changed {
		return reply
	}
	clean, err := json.Marshal(parsed)
	if err != nil { // it always marshals
		return nil
	}
	return clean
}
