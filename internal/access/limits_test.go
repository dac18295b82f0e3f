// SPDX-License-Identifier: Apache-2.0

package access

import (
	"net/http"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestRestrictedClient_tooManyRequests has as many requests in progress as the spec allows.
func TestRestrictedClient_tooManyRequests(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.thing(t, w.namespace)
	w.Grant(t, w.namespace, "get", items.Group, "items")
	c := w.client(t, func(o *Options) { o.MaxConcurrentRequests = 2 })
	neighbor := w.client(t)
	get := func(c *RestrictedClient) error {
		_, err := c.Get(t.Context(), itemKey(w.namespace, "thing"))
		return err
	}
	arrived, proceed := make(chan struct{}, 2), make(chan struct{})
	w.requests.Intercept(func(*http.Request) error {
		arrived <- struct{}{}
		<-proceed
		return nil
	})
	var underWay sync.WaitGroup
	for range 2 {
		underWay.Go(func() {
			if err := get(c); err != nil {
				t.Errorf("within the limit: %v", err)
			}
		})
	}
	<-arrived
	<-arrived
	w.requests.Intercept(nil)
	wantDenial(t, get(c), metav1.StatusReasonTooManyRequests, "limit: security.maxConcurrentRequests is 2")
	if err := get(neighbor); err != nil {
		t.Errorf("another plugin: %v", err)
	}
	close(proceed)
	underWay.Wait()
	for range 5 { // slots are released, also after failures
		if err := get(c); err != nil {
			t.Errorf("after the others have ended: %v", err)
		}
		_, err := c.Get(t.Context(), itemKey(w.namespace, "nothing"))
		wantDenial(t, err, metav1.StatusReasonNotFound)
	}
}

// TestRestrictedClient_rate makes a plugin use up its burst, and wait until more requests are allowed.
func TestRestrictedClient_rate(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.thing(t, w.namespace)
	w.Grant(t, w.namespace, "get", items.Group, "items")
	denied := map[string]int{}
	c := w.client(t, func(o *Options) {
		o.RequestsPerSecond, o.Burst = 2, 3
		o.Limited = func(layer string) { denied[layer]++ }
	})
	neighbor := w.client(t)
	get := func(c *RestrictedClient) error {
		_, err := c.Get(t.Context(), itemKey(w.namespace, "thing"))
		return err
	}
	within := func(n int) {
		t.Helper()
		for i := range n {
			if err := get(c); err != nil {
				t.Fatalf("request %d of %d: %v", i+1, n, err)
			}
		}
		wantDenial(t, get(c), metav1.StatusReasonTooManyRequests, "rate: security.requestsPerSecond is 2")
	}
	within(3)
	w.clock.Step(time.Second)
	within(2)
	w.clock.Step(time.Hour) // unused requests do not add up beyond the burst
	within(3)
	if err := get(neighbor); err != nil {
		t.Errorf("another plugin: %v", err)
	}
	if denied["rate"] != 3 || len(denied) != 1 {
		t.Errorf("it was notified of %v denials, want 3 of the rate", denied)
	}
	// A request that another layer denies does not count for the rate.
	w.clock.Step(time.Hour)
	for range 5 {
		_, err := c.Get(t.Context(), itemKey("elsewhere", "thing"))
		wantDenial(t, err, metav1.StatusReasonForbidden)
	}
	within(3)
}

// TestRestrictedClient_groups has permissions only as a member of one of the groups that every ServiceAccount is in:
// the reviews before reads of the cache must return the same as the API server itself.
func TestRestrictedClient_groups(t *testing.T) {
	t.Parallel()
	for _, group := range []string{"system:serviceaccounts:", "system:serviceaccounts", "system:authenticated"} {
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			w := newTestCluster(t)
			w.thing(t, w.namespace)
			w.cache(t, items)
			if group == "system:serviceaccounts:" {
				group += w.namespace
			}
			w.Bind(t, rbacv1.Subject{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: group}, w.namespace,
				rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{items.Group}, Resources: []string{"items"}})
			for from, c := range map[string]*RestrictedClient{"cache": w.client(t, watching(items)), "API server": w.client(t)} {
				if _, err := c.Get(t.Context(), itemKey(w.namespace, "thing")); err != nil {
					t.Errorf("%s: %v", from, err)
				}
			}
		})
	}
}
