// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"context"
	"fmt"
	"strings"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// admissions returns attacks on those that wait for a reply: the API server, and deletions that are blocked by a
// finalizer.
func admissions() []attack {
	trick := func(letter, export string, a attack) attack {
		a.name, a.export, a.pages = "admission/"+letter, export, 300
		return a
	}
	violation := func(letter, export, want string) attack {
		return trick(letter, export, attack{at: fails, kind: plugin.KindViolation, want: want})
	}
	return []attack{
		violation("a", abi.ExportValidateCreate, "a reply of 16777216 bytes is larger than the 65536 allowed"),
		violation("b", abi.ExportAdmit, "a reply of 4000014 bytes is larger than the 65536 allowed"),
		trick("c", abi.ExportValidateCreate, attack{at: fails, kind: plugin.KindTimeout}),
		violation("d", abi.ExportSetDefaults, "it is not JSON"),
		violation("e", abi.ExportSetDefaults, "neither an object nor a JSON patch"),
		// Whether a patch can be applied is not checked here.
		trick("f", abi.ExportSetDefaults, attack{at: succeeds, want: "[" + strings.Repeat("{},", 999_999) + "{}]"}),
		trick("g", abi.ExportSetDefaults, attack{at: fails, kind: plugin.KindTimeout}),
		violation("h", abi.ExportFinalize, "requeueAfterMillis"),
		trick("i", abi.ExportAdmit, attack{at: succeeds, want: "\uFFFD\uFFFD  [2J "}),
	}
}

// admit calls an export like the operator, and returns what the caller receives.
func admit(ctx context.Context, runner plugin.Runner, export, name string) ([]byte, error) {
	req := abi.AdmissionRequest{ObjectKey: abi.ObjectKey{Name: name}}
	switch export {
	case abi.ExportSetDefaults:
		return plugin.SetDefaults(ctx, runner, req)
	case abi.ExportFinalize:
		result, err := plugin.Finalize(ctx, runner, abi.ReconcileRequest{ObjectKey: req.ObjectKey})
		if result.RequeueAfterMillis != 0 {
			return fmt.Append(nil, result.RequeueAfterMillis), err
		}
		return nil, err
	case abi.ExportAdmit:
		warnings, err := plugin.Admit(ctx, runner, abi.AdmitRequest{AdmissionRequest: req})
		return []byte(strings.Join(warnings, "\n")), err
	default:
		warnings, err := plugin.Validate(ctx, runner, export, req)
		return []byte(strings.Join(warnings, "\n")), err
	}
}
