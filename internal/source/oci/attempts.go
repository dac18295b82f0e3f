// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"errors"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// attempts are the errors of a repository and its mirrors.
type attempts struct {
	// failed begins with the error of the repository.
	failed []error
	// ended is whether the context has ended, so that not all were asked. Then the first error is that of the context.
	ended bool
}

// Error implements error.
func (a attempts) Error() string { return errors.Join(a.failed...).Error() }

// Unwrap returns the error that decides what is wrong. It is that of the repository, because the mirrors only stand in for
// it. But if the repository does not answer, and every mirror that does rejects the credentials for it, they decide: where
// only a mirror is reached, nobody else can revoke a permission. A mirror for which there are no credentials has not given
// a permission that it could revoke.
func (a attempts) Unwrap() error {
	if load := (*plugin.LoadError)(nil); a.ended || answers(a.failed[0]) || errors.As(a.failed[0], &load) {
		return a.failed[0]
	}
	decides := a.failed[0]
	for _, err := range a.failed[1:] {
		var mirror mirrorError
		switch reason, _ := explain(err, 1); {
		case !errors.As(err, &mirror) || !answers(err):
		case reason != pluginsv1alpha1.ReasonUnauthorized:
			return a.failed[0]
		case mirror.credentials > 0:
			decides = err
		}
	}
	return decides
}

// answers reports whether an error is an answer about the artifact or the permission to pull it.
func answers(err error) bool {
	reason, _ := explain(err, 1)
	return reason == pluginsv1alpha1.ReasonUnauthorized || reason == pluginsv1alpha1.ReasonArtifactNotFound
}

// mirrorError is the error of a mirror.
type mirrorError struct {
	host string
	// credentials is how many there are for the mirror.
	credentials int
	cause       error
}

// Error implements error.
func (e mirrorError) Error() string { return "mirror " + e.host + ": " + e.cause.Error() }

// Unwrap returns the cause.
func (e mirrorError) Unwrap() error { return e.cause }
