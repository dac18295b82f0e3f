// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/k1s-io/k1s/internal/plugin/metrics"
)

// answer returns the response to a request. It also does so if a panic occurs.
func (s *Server) answer(ctx context.Context, p *served, hook webhook, request *admissionv1.AdmissionRequest) (response *admissionv1.AdmissionResponse) {
	start := time.Now()
	complete(request)
	q := &operation{AdmissionRequest: request, plugin: p, hook: hook, target: p.target(request.Resource, request.Kind)}
	if q.unasked = p.unasked(request); q.unasked != nil {
		q.target = q.matched()
	}
	var result metrics.AdmissionResult
	defer func() {
		if panicked := recover(); panicked != nil {
			s.Log.Error(fmt.Errorf("panic: %v", panicked), "An admission request made the operator panic",
				"plugin", p.Name.String(), "stack", string(debug.Stack()))
			response, result = q.failed("", fmt.Errorf("panic: %v", panicked))
		}
		if s.Metrics != nil {
			s.Metrics.AdmissionRequest(p.Name.String(), string(hook), result, time.Since(start))
		}
	}()
	response, result = s.decide(ctx, q)
	return response
}

// decide returns the response to a request: it allows the request if the plugin does not have to be called, and calls
// the plugin otherwise.
func (s *Server) decide(ctx context.Context, q *operation) (*admissionv1.AdmissionResponse, metrics.AdmissionResult) {
	exports := q.plugin.exports(q.hook, string(q.Operation))
	if len(exports) == 0 || q.passes(s.Exempt, s.Marks) {
		return allowed(nil), metrics.AdmissionSkipped
	}
	switch may, err := s.Authorizer.Authorize(ctx, q.plugin.Identity, q.action()); {
	case err != nil:
		return q.failed(exports[0], &rightError{err})
	case !may.Allowed:
		return allowed(nil), metrics.AdmissionSkipped
	}
	if q.unasked != nil {
		return q.failed(exports[0], q.unasked)
	}
	if q.hook == mutating {
		return s.mutate(ctx, q)
	}
	return validate(ctx, q, exports)
}

func allowed(warnings []string) *admissionv1.AdmissionResponse {
	return &admissionv1.AdmissionResponse{Allowed: true, Warnings: warnings}
}
