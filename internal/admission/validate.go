// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"encoding/json"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
)

// validate calls the exports one after another. The first one that does not allow the request decides.
func validate(ctx context.Context, q *operation, exports []string) (*admissionv1.AdmissionResponse, metrics.AdmissionResult) {
	request := q.request()
	var warnings []string
	for _, export := range exports {
		response, err := call(ctx, q, export, request)
		if err != nil {
			return q.denied(export, err, warnings)
		}
		warnings = append(warnings, response...)
	}
	return allowed(warnings), metrics.AdmissionAllowed
}

func call(ctx context.Context, q *operation, export string, request abi.AdmissionRequest) ([]string, error) {
	if export != abi.ExportAdmit {
		return plugin.Validate(ctx, q.plugin.runner, export, request)
	}
	user, err := json.Marshal(q.userInfo())
	if err != nil {
		return nil, &plugin.CallError{Kind: plugin.KindInput, Export: export, Err: err}
	}
	return plugin.Admit(ctx, q.plugin.runner, abi.AdmitRequest{
		AdmissionRequest: request,
		UID:              string(q.UID),
		Operation:        string(q.Operation),
		DryRun:           q.DryRun != nil && *q.DryRun,
		UserInfo:         user,
		Options:          q.Options.Raw,
	})
}
