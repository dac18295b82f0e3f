// SPDX-License-Identifier: Apache-2.0

package access

import (
	"net/http"

	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Reader returns a Host with the same access for the exports that handle admission requests. It denies all changes,
// whatever the permissions of the ServiceAccount, so that an admission request that is not persisted, such as a dry
// run, has no side effects. It shares the client's limits.
func (c *RestrictedClient) Reader() plugin.Host {
	r := *c
	r.reader = true
	return &r
}

// changes denies changes if only reads are allowed.
func (c *RestrictedClient) changes(a rbac.Action) error {
	if !c.reader {
		return nil
	}
	return forbidden(audit.LayerCapability, a, "during an admission request, a plugin can only read")
}

// sends denies HTTP requests other than GET and HEAD if only reads are allowed.
func (c *RestrictedClient) sends(t target) error {
	if !c.reader || t.method == http.MethodGet || t.method == http.MethodHead {
		return nil
	}
	return forbiddenHTTP(audit.LayerCapability, t.method, t.origin, "during an admission request, a plugin can only read: GET and HEAD")
}
