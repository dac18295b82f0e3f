// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"errors"
	"testing"

	"k8s.io/utils/clock"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

func TestLoad_actions(t *testing.T) {
	t.Parallel()
	reject := func(condition, reason string) *problem {
		return problemOf(condition, plugin.Reject(reason, "reason"))
	}
	invalid := reject(pluginsv1alpha1.ConditionVerified, pluginsv1alpha1.ReasonInvalidModule)
	forbidden := reject(pluginsv1alpha1.ConditionAuthorized, pluginsv1alpha1.ReasonAccountForbidden)
	failed := &rejection{}
	for name, tt := range map[string]struct {
		capability plugin.Capability // of the serving revision; empty means that there is none
		unserved   *problem
		finalizer  bool // whether the WasmPlugin has the operator's finalizer
		problem    *problem
		events     eventsAction
		webhooks   webhooksAction
	}{
		"success":                                {plugin.CapabilityReconcile, nil, false, nil, startEvents, ensureWebhooks},
		"first load fails":                       {"", nil, false, invalid, leaveEvents, leaveWebhooks},
		"first load after a restart fails":       {"", nil, true, invalid, leaveEvents, keepWebhooks},
		"first load after a restart, forbidden":  {"", nil, true, forbidden, leaveEvents, removeWebhooks},
		"the next revision is invalid":           {plugin.CapabilityReconcile, nil, false, invalid, resumeEvents, leaveWebhooks},
		"the next revision is invalid, webhooks": {plugin.CapabilityValidation, nil, true, invalid, resumeEvents, ensureWebhooks},
		"the serving revision is forbidden":      {plugin.CapabilityReconcile, nil, false, forbidden, stopEvents, removeWebhooks},
		"its kinds are not served":               {plugin.CapabilityReconcile, invalid, false, invalid, stopEvents, keepWebhooks},
		"its kinds are not served, forbidden":    {plugin.CapabilityReconcile, invalid, false, forbidden, stopEvents, removeWebhooks},
		"rolled back":                            {plugin.CapabilityReconcile, nil, false, failed.problem(), startEvents, ensureWebhooks},
		"could not be recorded":                  {plugin.CapabilityReconcile, nil, false, reject(pluginsv1alpha1.ConditionServing, pluginsv1alpha1.ReasonRecordFailed), leaveEvents, leaveWebhooks},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := loadOf(t, nil)
			if tt.capability != "" {
				l.plan = loadOf(t, nil, tt.capability).plan
				l.current = revisionOf(l, "current")
				l.current.unserved = tt.unserved
			}
			if tt.finalizer {
				l.plugin.Finalizers = []string{pluginsv1alpha1.FinalizerCleanup}
			}
			l.problem = tt.problem
			if events, hooks := l.actions(); events != tt.events || hooks != tt.webhooks {
				t.Errorf("got events %d, webhooks %d, want %d, %d", events, hooks, tt.events, tt.webhooks)
			}
		})
	}
}

// TestWatches_publish_resync shows that a new revision reconciles every object, even if the first try to list them
// fails, and that it does so once.
func TestWatches_publish_resync(t *testing.T) {
	t.Parallel()
	manager := &fakeWatches{running: true, resync: errUnavailable}
	revisions := NewRevisions(nil, clock.RealClock{})
	w := watches{manager: manager, permissions: allowing(itemKinds()), revisions: revisions, replica: leader()}
	l := loadOf(t, nil)
	l.current = revisionOf(l, "new")
	l.current.resync = true
	revisions.set(l.name, l.current)
	if err := w.publish(t.Context(), l, startEvents); !errors.Is(err, errUnavailable) || !l.watching {
		t.Fatalf("got %v, watching %t", err, l.watching)
	}
	manager.resync = nil
	for range 2 {
		l.current = revisions.get(l.name)
		if err := w.publish(t.Context(), l, startEvents); err != nil {
			t.Fatal(err)
		}
	}
	if manager.resynced != 2 {
		t.Errorf("listed %d times, want a failure and a success", manager.resynced)
	}
}

// TestWatches_publish_withoutEvents shows that the events of a revision that was rolled back stop if the previous
// revision does not need them.
func TestWatches_publish_withoutEvents(t *testing.T) {
	t.Parallel()
	manager := &fakeWatches{running: true}
	w := watches{manager: manager, replica: leader()}
	l := loadOf(t, nil, plugin.CapabilityValidation)
	l.current = revisionOf(l, "previous")
	if err := w.publish(t.Context(), l, startEvents); err != nil || manager.stopped == 0 || !l.watching {
		t.Errorf("got %v, stopped %d times, watching %t", err, manager.stopped, l.watching)
	}
}

func TestWatches_publish_resume(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		client  fakeClient
		denied  []string
		resumes bool
	}{
		"with permissions":         {fakeClient{}, nil, true},
		"without a permission":     {fakeClient{}, []string{"list"}, false},
		"without a ServiceAccount": {fakeClient{empty: true}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			permissions := allowing(itemKinds())
			permissions.client, permissions.authorizer = tt.client, fakeAuthorizer{denied: tt.denied}
			w := watches{manager: &fakeWatches{}, permissions: permissions, replica: leader()}
			l := loadOf(t, nil)
			l.current = revisionOf(l, "current")
			if err := w.publish(t.Context(), l, resumeEvents); err != nil || l.watching != tt.resumes {
				t.Errorf("got %v, watching %t", err, l.watching)
			}
		})
	}
}

// TestPublish_run_failed shows that what cannot be published is the problem of the load.
func TestPublish_run_failed(t *testing.T) {
	t.Parallel()
	p := publish{watches: watches{manager: &fakeWatches{ensure: errUnavailable}, replica: leader()}, finalizers: finalizers{replica: leader()}}
	l := loadOf(t, nil)
	l.current = revisionOf(l, "new")
	if _, err := p.run(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if l.problem == nil || l.problem.reason != pluginsv1alpha1.ReasonWatchFailed || l.problem.recovery != retry {
		t.Errorf("got %v", l.problem)
	}
}
