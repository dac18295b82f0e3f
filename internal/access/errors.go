// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/rbac"
)

// denial is the error of a request that one of these layers denied. If the API server denied the request, the error is
// a plain StatusError.
type denial struct {
	*apierrors.StatusError

	layer string
}

// Unwrap returns the StatusError.
func (r *denial) Unwrap() error { return r.StatusError }

// forbidden returns a Forbidden error that names the layer and what is missing.
func forbidden(layer string, a rbac.Action, format string, args ...any) error {
	return &denial{layer: layer, StatusError: &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusForbidden,
		Reason:  metav1.StatusReasonForbidden,
		Message: fmt.Sprintf("%s: cannot %s: %s", layer, a, fmt.Sprintf(format, args...)),
		Details: &metav1.StatusDetails{Name: a.ObjectName, Group: a.Group, Kind: a.Resource},
	}}}
}

// tooMany returns the error for a request above a limit of spec.security.
func tooMany(layer, field string, limit int) error {
	return &denial{layer: layer, StatusError: &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusTooManyRequests,
		Reason:  metav1.StatusReasonTooManyRequests,
		Message: fmt.Sprintf("%s: %s is %d", layer, field, limit),
		Details: &metav1.StatusDetails{RetryAfterSeconds: 1},
	}}}
}

// tooLong returns the error for a response that does not fit into one payload.
func tooLong() error {
	return apierrors.NewRequestEntityTooLargeError(
		fmt.Sprintf("the answer is longer than the %d bytes of one payload: use a selector or a limit", abi.MaxPayload))
}
