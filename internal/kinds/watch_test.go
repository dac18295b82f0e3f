// SPDX-License-Identifier: Apache-2.0

package kinds

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/rest"

	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/logs"
)

// notified records the groups that a Watch reports; "all" stands for a change of all.
type notified struct {
	mu     sync.Mutex
	groups []string
}

func (h *notified) hear(groups ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(groups) == 0 {
		groups = []string{"all"}
	}
	h.groups = append(h.groups, groups...)
}

func (h *notified) expect(t *testing.T, group string) {
	t.Helper()
	testenv.Eventually(t, "a change of "+group, func(context.Context) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if !slices.Contains(h.groups, group) {
			return fmt.Errorf("there are only %q", h.groups)
		}
		h.groups = nil
		return nil
	})
}

// start runs a Watch with a connection until the test ends.
func (w *testCluster) start(t *testing.T, config *rest.Config, log logr.Logger) *notified {
	t.Helper()
	received := &notified{}
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	watch, err := NewWatch(config, httpClient, w.Resolver, log, received.hear)
	if err != nil {
		t.Fatal(err)
	}
	testenv.Background(t, watch.Start)
	return received
}

// TestWatch shows that every change of a definition makes the kinds of its group be resolved again.
func TestWatch(t *testing.T) {
	w := newTestCluster(t)
	received := w.start(t, w.Config, logr.Discard())
	received.expect(t, "all")
	crd := testenv.Definition("watched.example.com", "boxes", "Box", "v1", "v2")
	before := w.Changes(crd.Spec.Group)
	w.install(t, crd)
	received.expect(t, crd.Spec.Group)
	if w.Changes(crd.Spec.Group) <= before {
		t.Error("the Resolver does not know of the change")
	}
	w.serve(t, crd, func(version string) bool { return version == "v1" })
	received.expect(t, crd.Spec.Group)
	w.uninstall(t, crd)
	received.expect(t, crd.Spec.Group)
}

// TestWatch_forbidden shows that a Watch without permission for one of the two resources uses the other one, and logs
// that once.
func TestWatch_forbidden(t *testing.T) {
	w := newTestCluster(t)
	limited := w.Limited(t, rbacv1.PolicyRule{
		APIGroups: []string{definitions.Group}, Resources: []string{definitions.Resource}, Verbs: []string{"list", "watch"},
	})
	var logged logs.Recorder
	received := w.start(t, limited.Config, logged.Logger())
	received.expect(t, "all")
	crd := testenv.Definition("forbidden.example.com", "boxes", "Box", "v1")
	w.install(t, crd)
	received.expect(t, crd.Spec.Group)
	testenv.Eventually(t, "the log says so", func(context.Context) error {
		for _, text := range logged.Lines() {
			if contains(text, "cannot watch", "apiservices.apiregistration.k8s.io") {
				return nil
			}
		}
		return fmt.Errorf("it says %q", logged.Lines())
	})
}
