// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/admission/object"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
)

// mutate calls set_defaults, and returns a response with a patch of the differences.
func (s *Server) mutate(ctx context.Context, q *operation) (*admissionv1.AdmissionResponse, metrics.AdmissionResult) {
	const export = abi.ExportSetDefaults
	request := q.request()
	reply, err := plugin.SetDefaults(ctx, q.plugin.runner, request)
	if err != nil {
		return q.denied(export, err, nil)
	}
	if len(reply) == 0 {
		return allowed(nil), metrics.AdmissionAllowed
	}
	set, err := object.ReadDefaults(request.Object, reply)
	if err != nil {
		return q.failed(export, &plugin.CallError{Kind: plugin.KindViolation, Export: export, Err: err})
	}
	response := allowed(nil)
	if len(set.Patch) > 0 {
		response.Patch = set.Patch
		response.PatchType = new(admissionv1.PatchTypeJSONPatch)
		response.Warnings = s.contested(q, set)
	}
	return response, metrics.AdmissionAllowed
}
