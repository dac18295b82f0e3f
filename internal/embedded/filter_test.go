// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

func TestEventFilter_predicate(t *testing.T) {
	object := func(label string) client.Object {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"watch": label}}}
	}
	labeled := EventFilter(func(_ EventKind, object client.Object) bool { return object.GetLabels()["watch"] == "yes" })
	notDeleted := EventFilter(func(kind EventKind, _ client.Object) bool { return kind != EventDelete })

	cases := []struct {
		name, why string
		filter    EventFilter
		pass      func(predicate.Predicate) bool
		want      bool
	}{
		{
			name: "created, accepted", why: "the object is of interest", filter: labeled, want: true,
			pass: func(p predicate.Predicate) bool { return p.Create(event.CreateEvent{Object: object("yes")}) },
		},
		{
			name: "created, rejected", why: "the object is of no interest", filter: labeled,
			pass: func(p predicate.Predicate) bool { return p.Create(event.CreateEvent{Object: object("no")}) },
		},
		{
			name: "updated, enters", why: "its new state is of interest", filter: labeled, want: true,
			pass: func(p predicate.Predicate) bool {
				return p.Update(event.UpdateEvent{ObjectOld: object("no"), ObjectNew: object("yes")})
			},
		},
		{
			name: "updated, leaves", why: "the controller has to learn that it left", filter: labeled, want: true,
			pass: func(p predicate.Predicate) bool {
				return p.Update(event.UpdateEvent{ObjectOld: object("yes"), ObjectNew: object("no")})
			},
		},
		{
			name: "updated, stays outside", why: "neither state is of interest", filter: labeled,
			pass: func(p predicate.Predicate) bool {
				return p.Update(event.UpdateEvent{ObjectOld: object("no"), ObjectNew: object("no")})
			},
		},
		{
			name: "deleted, by kind", why: "the filter sees what happened", filter: notDeleted,
			pass: func(p predicate.Predicate) bool { return p.Delete(event.DeleteEvent{Object: object("yes")}) },
		},
		{
			name: "generic, by kind", why: "only deletes are rejected", filter: notDeleted, want: true,
			pass: func(p predicate.Predicate) bool { return p.Generic(event.GenericEvent{Object: object("yes")}) },
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.pass(c.filter.predicate()); got != c.want {
				t.Errorf("%s: got %t", c.why, got)
			}
		})
	}
}

func TestConfig_predicates_all(t *testing.T) {
	config := DefaultConfig()
	config.Predicates = []predicate.Predicate{predicate.Funcs{}, predicate.Funcs{}}
	config.EventFilters = []EventFilter{func(EventKind, client.Object) bool { return true }}
	if got := len(config.predicates([]predicate.Predicate{predicate.Funcs{}})); got != 4 {
		t.Errorf("the watch's own, the configuration's and the filters are 4 predicates, got %d", got)
	}
}
