// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"errors"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

func TestConfig_validate(t *testing.T) {
	cases := []struct {
		name, why string
		config    Config
		wantField string // empty: valid
	}{
		{name: "default", why: "it is what everybody starts from", config: DefaultConfig()},
		{name: "many workers", why: "there is no upper bound", config: Config{MaxConcurrentReconciles: 500, RecoverPanic: true}},
		{name: "panics end the process", why: "dangerous, but the caller's choice", config: Config{MaxConcurrentReconciles: 1}},
		{name: "zero value", why: "its RecoverPanic is false by accident", config: Config{}, wantField: "MaxConcurrentReconciles"},
		{name: "negative workers", why: "no such number of workers", config: Config{MaxConcurrentReconciles: -1}, wantField: "MaxConcurrentReconciles"},
		{
			name: "nil predicate", why: "the first event would panic",
			config:    Config{MaxConcurrentReconciles: 1, Predicates: []predicate.Predicate{predicate.Funcs{}, nil}},
			wantField: "Predicates",
		},
		{
			name: "nil filter", why: "the first event would panic",
			config:    Config{MaxConcurrentReconciles: 1, EventFilters: []EventFilter{nil}},
			wantField: "EventFilters",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := c.config.validate()
			var wrong *ConfigError
			switch {
			case c.wantField == "" && err != nil:
				t.Errorf("%s: got %v", c.why, err)
			case c.wantField != "" && (!errors.As(err, &wrong) || wrong.Field != c.wantField):
				t.Errorf("%s: got %v, want a ConfigError of %s", c.why, err, c.wantField)
			}
		})
	}
}

func TestConfig_clone(t *testing.T) {
	original := DefaultConfig()
	original.EventFilters = []EventFilter{func(EventKind, client.Object) bool { return true }}
	copied := original.clone()
	copied.EventFilters[0] = nil
	if original.EventFilters[0] == nil {
		t.Error("a change of the copy changed the original")
	}
}
