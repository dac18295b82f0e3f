// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// EventKind is what happened to an object.
type EventKind string

const (
	// EventCreate is a new object, or one that was there when the controller started.
	EventCreate EventKind = "Create"
	// EventUpdate is a changed object.
	EventUpdate EventKind = "Update"
	// EventDelete is a deleted object, in its last known state.
	EventDelete EventKind = "Delete"
	// EventGeneric is an event that comes from outside the cluster.
	EventGeneric EventKind = "Generic"
)

// EventFilter reports whether events of this kind about this object concern the controller.
//
// A predicate evaluates a change: it has a method for each kind of event, and receives the old and the new state of an
// update. An EventFilter evaluates an object: one function for all kinds of events, and one state. An update passes if
// the filter accepts either of its two states. So a filter by label or namespace also accepts the update with which an
// object stops matching, because the controller has to be notified of it.
type EventFilter func(kind EventKind, object client.Object) bool

// predicate returns the filter as a predicate of controller-runtime.
func (f EventFilter) predicate() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return f(EventCreate, e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return f(EventUpdate, e.ObjectNew) || f(EventUpdate, e.ObjectOld)
		},
		DeleteFunc:  func(e event.DeleteEvent) bool { return f(EventDelete, e.Object) },
		GenericFunc: func(e event.GenericEvent) bool { return f(EventGeneric, e.Object) },
	}
}

// predicates returns a watch's own predicates and those of the configuration.
func (c Config) predicates(own []predicate.Predicate) []predicate.Predicate {
	all := make([]predicate.Predicate, 0, len(own)+len(c.Predicates)+len(c.EventFilters))
	all = append(all, own...)
	all = append(all, c.Predicates...)
	for _, filter := range c.EventFilters {
		all = append(all, filter.predicate())
	}
	return all
}
