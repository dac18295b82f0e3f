// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"slices"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Config is the configuration of a controller (EmbeddedConfig in the plugin architecture). Start from DefaultConfig:
// the zero value is not valid, so that RecoverPanic is not false by accident.
type Config struct {
	// MaxConcurrentReconciles is the number of workers, at least 1. An object has at most one worker at a time.
	MaxConcurrentReconciles int
	// RecoverPanic turns a panic of the reconciler into an error of that one reconcile. When it is
	// false, a panic ends the process and with it every other controller.
	RecoverPanic bool
	// RateLimiter determines how long a failed request waits. Nil means 5 ms, doubled with each failure up to 1000 s,
	// as in every controller-runtime controller. A limiter counts failures by request, and requests do not name a kind:
	// each limiter belongs to one controller.
	RateLimiter workqueue.TypedRateLimiter[reconcile.Request]
	// Predicates filter the events of all watches: an event reaches the queue only if each of them accepts it.
	Predicates []predicate.Predicate
	// EventFilters filter events too: each of them has to accept an event.
	EventFilters []EventFilter
}

// DefaultConfig returns a Config with one worker, which recovers from panics, and without filters.
func DefaultConfig() Config {
	return Config{MaxConcurrentReconciles: 1, RecoverPanic: true}
}

// validate returns a *ConfigError that names the first wrong field.
func (c Config) validate() error {
	if c.MaxConcurrentReconciles < 1 {
		return &ConfigError{Field: "MaxConcurrentReconciles", Problem: "must be at least 1"}
	}
	if slices.Contains(c.Predicates, nil) {
		return &ConfigError{Field: "Predicates", Problem: "must not hold nil"}
	}
	if slices.ContainsFunc(c.EventFilters, func(filter EventFilter) bool { return filter == nil }) {
		return &ConfigError{Field: "EventFilters", Problem: "must not hold nil"}
	}
	return nil
}

// clone returns a copy that shares no slice.
func (c Config) clone() Config {
	c.Predicates = slices.Clone(c.Predicates)
	c.EventFilters = slices.Clone(c.EventFilters)
	return c
}
