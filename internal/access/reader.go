// SPDX-License-Identifier: Apache-2.0

package access

import (
	"net/http"

	"github.com/k1s-io/k1s/internal/plugin"
)

// Reader is the same cluster for exports that hold up a request to the API server: nothing can be changed
// through it, whatever the account may do, so that a request which comes to nothing, such as a dry run,
// leaves nothing behind. It shares the client's bounds.
func (c *RestrictedClient) Reader() plugin.Host {
	r := *c
	r.reader = true
	return &r
}

// changes refuses what is no reading where only that is allowed.
func (c *RestrictedClient) changes(a Action) error {
	if !c.reader {
		return nil
	}
	return forbidden(layerCapability, a, "while a request is held up for it, a plugin may only read")
}

// sends refuses HTTP requests that are no reading where only that is allowed.
func (c *RestrictedClient) sends(t target) error {
	if !c.reader || t.method == http.MethodGet || t.method == http.MethodHead {
		return nil
	}
	return forbiddenHTTP(layerCapability, t.method, t.origin, "while a request is held up for it, a plugin may only read: GET and HEAD")
}
