// SPDX-License-Identifier: Apache-2.0

package access

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestRestrictedClient_allowed makes every operation with the minimal permissions.
func TestRestrictedClient_allowed(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			w := newTestCluster(t)
			w.thing(t, w.namespace)
			w.Grant(t, w.namespace, op.verb, op.group(), op.resource)
			verbs := []string{op.verb}
			if op.name == "apply" {
				verbs = append(verbs, "create") // which apply might need
			}
			c := w.client(t, func(o *Options) { o.Allowlist.Verbs, o.Allowlist.Resources = verbs, []string{op.qualified()} })
			if _, err := op.do(asAdmin(t, w), c, w.namespace); err != nil {
				t.Errorf("denied: %v", err)
			}
		})
	}
}

// TestRestrictedClient_layers removes one permission after another: the first layer that denies the request responds,
// and no layer behind it is asked.
func TestRestrictedClient_layers(t *testing.T) {
	t.Parallel()
	type layer struct {
		name     string
		restrict func(op operation, o *Options)
		// only are the operations that this layer denies; empty means all.
		only  string
		parts func(op operation) []string
	}
	layers := []layer{
		{
			"capability", func(_ operation, o *Options) { o.StatusUpdate = false }, "_status",
			func(operation) []string { return []string{"capability: ", `"status_update"`} },
		},
		{
			"verb", func(op operation, o *Options) { o.Allowlist.Verbs = without(op.verb) }, "",
			func(op operation) []string {
				return []string{"allowlist: cannot " + op.verb, `security.allowedVerbs does not have "` + op.verb + `"`}
			},
		},
		{
			"resource", func(_ operation, o *Options) { o.Allowlist.Resources = []string{"configmaps"} }, "",
			func(op operation) []string {
				return []string{"allowlist: ", `security.allowedResources does not have "` + op.qualified() + `"`}
			},
		},
		{
			"subresource", func(_ operation, o *Options) { o.Allowlist.Resources = []string{"items"} }, "_status",
			func(op operation) []string {
				return []string{"allowlist: ", `security.allowedResources does not have "` + op.qualified() + `"`}
			},
		},
		{
			"namespace", func(_ operation, o *Options) { o.Allowlist.Namespaces = []string{"elsewhere"} }, "",
			func(operation) []string { return []string{"allowlist: ", "security.allowedNamespaces does not have "} },
		},
	}
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			w := newTestCluster(t)
			ctx := asAdmin(t, w)
			for i, l := range layers {
				if !strings.Contains(op.name, l.only) {
					continue
				}
				t.Run(l.name, func(t *testing.T) {
					c := w.client(t, func(o *Options) {
						for _, behind := range slices.Backward(layers[i:]) { // all layers behind it would deny as well
							behind.restrict(op, o)
						}
					})
					occupy(c)
					w.requests.Reset()
					_, err := op.do(ctx, c, w.namespace)
					wantDenial(t, err, metav1.StatusReasonForbidden, l.parts(op)...)
					w.requests.None(t)
				})
			}
			t.Run("limit", func(t *testing.T) {
				c := w.client(t)
				occupy(c)
				w.requests.Reset()
				_, err := op.do(ctx, c, w.namespace)
				wantDenial(t, err, metav1.StatusReasonTooManyRequests, "limit: security.maxConcurrentRequests is 10")
				w.requests.None(t)
			})
			t.Run("rbac", func(t *testing.T) {
				_, err := op.do(ctx, w.client(t), w.namespace)
				wantDenial(t, err, metav1.StatusReasonForbidden,
					`User "system:serviceaccount:`+w.namespace+":"+account+`" cannot `+op.verb+` resource "`+op.resource+`" in API group "`+op.group()+`"`)
			})
		})
	}
}

// occupy takes all request slots of a client.
func occupy(c *RestrictedClient) {
	for len(c.slots) < cap(c.slots) {
		c.slots <- struct{}{}
	}
}

// without returns all verbs except one.
func without(verb string) []string {
	var out []string
	for _, v := range []string{"get", "list", "watch", "create", "update", "patch", "delete"} {
		if v != verb {
			out = append(out, v)
		}
	}
	return out
}
