// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"slices"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Config is the configuration of a controller (EmbeddedConfig in the plugin architecture).
// Start from DefaultConfig: the zero value is not valid, because its RecoverPanic would be false unnoticed.
type Config struct {
	// MaxConcurrentReconciles is the number of workers, at least 1. No two work on the same object.
	MaxConcurrentReconciles int
	// RecoverPanic turns a panic of the reconciler into an error of that one reconcile. When it is
	// false, a panic ends the process and with it every other controller.
	RecoverPanic bool
	// RateLimiter says how long a failed request waits. Nil means 5 ms, doubled with each failure up to
	// 1000 s, as in every controller-runtime controller. It remembers requests, which do not name a
	// kind: one limiter belongs to one controller.
	RateLimiter workqueue.TypedRateLimiter[reconcile.Request]
	// Predicates all have to accept an event of any watch before it reaches the queue.
	Predicates []predicate.Predicate
	// EventFilters all have to accept an event too.
	EventFilters []EventFilter
}

// DefaultConfig is one worker that survives panics, and no filtering.
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
