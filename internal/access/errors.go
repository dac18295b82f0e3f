// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
)

// Layers that can refuse; the guest reads their names at the beginning of the message.
const (
	layerCapability = "capability"
	layerAllowlist  = "allowlist"
	layerRBAC       = "rbac"
	layerRate       = "rate"
	layerLimit      = "limit"
	// layerAddress refuses what the host of an HTTP request resolves to.
	layerAddress = "address"
)

// refusal is the answer of one of the layers here; what the API server refuses is a plain StatusError.
type refusal struct {
	*apierrors.StatusError

	layer string
}

// Unwrap returns the Status alone.
func (r *refusal) Unwrap() error { return r.StatusError }

// forbidden is a refusal that names its layer and what is missing.
func forbidden(layer string, a Action, format string, args ...any) error {
	return &refusal{layer: layer, StatusError: &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusForbidden,
		Reason:  metav1.StatusReasonForbidden,
		Message: fmt.Sprintf("%s: may not %s: %s", layer, a, fmt.Sprintf(format, args...)),
		Details: &metav1.StatusDetails{Name: a.ObjectName, Group: a.Group, Kind: a.Resource},
	}}}
}

// tooMany is the answer above a bound of spec.security.
func tooMany(layer, field string, limit int) error {
	return &refusal{layer: layer, StatusError: &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusTooManyRequests,
		Reason:  metav1.StatusReasonTooManyRequests,
		Message: fmt.Sprintf("%s: %s is %d", layer, field, limit),
		Details: &metav1.StatusDetails{RetryAfterSeconds: 1},
	}}}
}

// tooLong is the answer when what was asked for does not fit into one payload.
func tooLong() error {
	return apierrors.NewRequestEntityTooLargeError(
		fmt.Sprintf("the answer is longer than the %d bytes of one payload: use a selector or a limit", abi.MaxPayload))
}
