// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
	"github.com/k1s-io/k1s/internal/text"
)

// rightError means that it could not be determined whether a plugin has permission to handle a request.
type rightError struct{ error }

// Unwrap returns the cause.
func (e *rightError) Unwrap() error { return e.error }

// undecided are the reasons with which guests report that they cannot decide; see docs/spec/abi.md.
var undecided = []metav1.StatusReason{
	metav1.StatusReasonInternalError, metav1.StatusReasonTimeout, metav1.StatusReasonServerTimeout,
	metav1.StatusReasonServiceUnavailable, metav1.StatusReasonTooManyRequests,
}

// denied returns the response for a call that ended with an error: the guest's denial, or the result of the failure
// policy.
func (q *operation) denied(export string, err error, warnings []string) (*admissionv1.AdmissionResponse, metrics.AdmissionResult) {
	var call *plugin.CallError
	if !errors.As(err, &call) || call.Kind != plugin.KindGuest || call.Status == nil || cannotTell(call.Status) {
		response, result := q.failed(export, err)
		response.Warnings = append(warnings, response.Warnings...)
		return response, result
	}
	return &admissionv1.AdmissionResponse{Result: denial(call.Status), Warnings: warnings}, metrics.AdmissionDenied
}

func cannotTell(s *metav1.Status) bool {
	return s.Code >= http.StatusInternalServerError || s.Code == http.StatusTooManyRequests || slices.Contains(undecided, s.Reason)
}

// failed returns the response of the failure policy for a plugin that could not answer.
func (q *operation) failed(export string, err error) (*admissionv1.AdmissionResponse, metrics.AdmissionResult) {
	if q.plugin.Failed != nil {
		q.plugin.Failed(Failure{Export: export, Key: q.key(), Err: err})
	}
	what, code := describeFailure(err)
	name := q.plugin.Name
	if q.plugin.FailurePolicy == pluginsv1alpha1.FailurePolicyIgnore {
		warning := fmt.Sprintf("plugin %q was not called, as it %s", name, what)
		return allowed([]string{text.Truncate(warning, abi.MaxWarning)}), metrics.AdmissionFailedOpen
	}
	reason := metav1.StatusReasonInternalError
	if code == http.StatusServiceUnavailable {
		reason = metav1.StatusReasonServiceUnavailable
	}
	return &admissionv1.AdmissionResponse{Result: &metav1.Status{
		Status: metav1.StatusFailure, Code: code, Reason: reason,
		Message: fmt.Sprintf("plugin %q %s, and its failurePolicy is Fail: see kubectl describe wasmplugin %s -n %s, or set its spec.admission.failurePolicy to Ignore",
			name, what, name.Name, name.Namespace),
	}}, metrics.AdmissionFailedClosed
}

// describeFailure returns why a plugin could not answer, as the end of a sentence, and the HTTP status: 503 if a retry may
// help. The details of the error are for those who operate the plugin, not for every client.
func describeFailure(err error) (what string, code int32) {
	const broken, later = http.StatusInternalServerError, http.StatusServiceUnavailable
	var right *rightError
	var unavailable *unavailableError
	switch {
	case errors.As(err, &unavailable):
		return unavailable.why, later
	case errors.As(err, &right):
		return "could not be asked: the access review of its ServiceAccount failed", later
	case errors.Is(err, plugin.ErrNoRevision):
		return "is not loaded", later
	}
	kind := plugin.KindOf(err)
	if errors.Is(err, context.DeadlineExceeded) && (kind == plugin.KindInstance || kind == plugin.KindClosed) {
		return "had no instance free in time", later
	}
	switch kind {
	case plugin.KindGuest:
		return "cannot tell: " + text.Truncate(message(err), maxReason), later
	case plugin.KindTimeout:
		return "did not answer in time", later
	case plugin.KindFuel:
		return "used up its fuel", broken
	case plugin.KindTrap, plugin.KindExit:
		return "crashed", broken
	case plugin.KindViolation:
		return "gave an answer that cannot be used: " + text.Truncate(message(err), maxReason), broken
	case plugin.KindInput:
		return "could not be given the object", broken
	case plugin.KindInstance, plugin.KindClosed:
		return "could not be started", later
	case plugin.KindUnavailable:
		return "failed too often just before", later
	default:
		return "failed", broken
	}
}

// maxReason is how many bytes of an error's message are shown.
const maxReason = 512

// message returns the message of an error, without the name of the call.
func message(err error) string {
	var call *plugin.CallError
	switch {
	case !errors.As(err, &call):
		return err.Error()
	case call.Status != nil:
		return call.Status.Message
	default:
		return call.Err.Error()
	}
}
