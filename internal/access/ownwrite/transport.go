// SPDX-License-Identifier: Apache-2.0

package ownwrite

import (
	"net/http"
	"net/url"

	authenticationv1 "k8s.io/api/authentication/v1"
)

// header is the header from which the API server reads ExtraKey. The name of a header must not contain a slash.
var header = http.CanonicalHeaderKey(authenticationv1.ImpersonateUserExtraHeaderPrefix + url.PathEscape(ExtraKey))

// Transport returns a wrapper that adds a plugin's marks to the requests that change something. It is for a client that
// impersonates the plugin's ServiceAccount. A nil Marks adds no marks.
func (m *Marks) Transport(plugin string) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		if m == nil {
			return next
		}
		return &transport{marks: m, plugin: plugin, next: next}
	}
}

type transport struct {
	marks  *Marks
	plugin string
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return t.next.RoundTrip(r) // reads have no admission
	}
	marks, err := t.marks.Sign(t.plugin)
	if err != nil {
		// Without a certificate, no replica serves admission webhooks, so that no webhook needs the mark.
		return t.next.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.Header[header] = marks
	return t.next.RoundTrip(r)
}

// WrappedRoundTripper returns the wrapped RoundTripper, for client-go.
func (t *transport) WrappedRoundTripper() http.RoundTripper { return t.next }
