// SPDX-License-Identifier: Apache-2.0

package kinds

import (
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// NotServedError means that the API server does not serve a kind in a version.
type NotServedError struct {
	GVK schema.GroupVersionKind
	// Served is how the kind is served in other versions, the preferred one first; empty if it is not served at all.
	Served []*meta.RESTMapping
}

// Error implements error.
func (e *NotServedError) Error() string {
	if len(e.Served) == 0 {
		return fmt.Sprintf("kind %q of %q is not installed", e.GVK.Kind, e.GVK.GroupVersion())
	}
	return fmt.Sprintf("kind %q is served in %s, not in %s", e.GVK.Kind, e.Versions(), e.GVK.Version)
}

// Versions names the versions in which the kind is served.
func (e *NotServedError) Versions() string {
	versions := make([]string, len(e.Served))
	for i, m := range e.Served {
		versions[i] = m.Resource.Version
	}
	return strings.Join(versions, ", ")
}

// IsNotServed reports whether an error means that the API server does not serve a kind in a version.
func IsNotServed(err error) bool {
	var not *NotServedError
	return errors.As(err, &not)
}

// IsPathNotFound reports whether the API server answered a request with 404 because it serves nothing at the request's
// path, and not because an object does not exist. The path then has to be resolved again.
func IsPathNotFound(err error) bool {
	if !apierrors.IsNotFound(err) {
		return false
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	details := status.Status().Details
	if details == nil {
		return false
	}
	// For what the API server or an extension server serves, the answer is a Status, also if a webhook denies the
	// request. If nothing is served, the answer is a plain "404 page not found", from which client-go makes a Status
	// with this cause.
	for _, cause := range details.Causes {
		if cause.Type == metav1.CauseTypeUnexpectedServerResponse {
			return true
		}
	}
	return false
}
