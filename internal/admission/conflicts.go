// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/admission/object"
	"github.com/k1s-io/k1s/internal/text"
)

const (
	// maxFields is how many fields of one kind are remembered.
	maxFields = 512
	// maxReported is how many conflicts are remembered as reported. Above it, they are reported again.
	maxReported = 1024
)

// Conflict is a field that two plugins set by default.
type Conflict struct {
	Kind schema.GroupKind
	// Field is a path such as "spec.category".
	Field string
	// Plugin is the one that has just set the field, and Other the one that set it before.
	Plugin, Other types.NamespacedName
}

// conflicts remembers which plugin last set which field of a kind.
type conflicts struct {
	mu       sync.Mutex
	fields   map[schema.GroupKind]map[string]types.NamespacedName
	reported map[Conflict]struct{}
}

func newConflicts() *conflicts {
	return &conflicts{fields: map[schema.GroupKind]map[string]types.NamespacedName{}, reported: map[Conflict]struct{}{}}
}

// set remembers which plugin has set a field. It returns the plugin that set the field before, and true if that was
// another one.
func (c *conflicts) set(kind schema.GroupKind, field string, by types.NamespacedName) (types.NamespacedName, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fields := c.fields[kind]
	if fields == nil {
		fields = map[string]types.NamespacedName{}
		c.fields[kind] = fields
	}
	before, ok := fields[field]
	if !ok && len(fields) >= maxFields {
		for any := range fields { // removes an arbitrary one
			delete(fields, any)
			break
		}
	}
	fields[field] = by
	return before, ok && before != by
}

// isNew reports whether a conflict has not been reported before, in either order of the two plugins.
func (c *conflicts) isNew(k Conflict) bool {
	if k.Other.String() < k.Plugin.String() {
		k.Plugin, k.Other = k.Other, k.Plugin
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.reported[k]; ok {
		return false
	}
	if len(c.reported) >= maxReported {
		clear(c.reported)
	}
	c.reported[k] = struct{}{}
	return true
}

// forget removes a plugin.
func (c *conflicts) forget(name types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for kind, fields := range c.fields {
		for field, by := range fields {
			if by == name {
				delete(fields, field)
			}
		}
		if len(fields) == 0 {
			delete(c.fields, kind)
		}
	}
	for k := range c.reported {
		if k.Plugin == name || k.Other == name {
			delete(c.reported, k)
		}
	}
}

// contested returns a warning for each field that another plugin also sets by default in the same object. The warning
// does not name the other plugin, because the user who makes the request may lack the permission to list its
// WasmPlugin. The Conflict has its name.
func (s *Server) contested(q *operation, set *object.Defaults) []string {
	kind, me := q.target.GVK.GroupKind(), q.plugin.Name
	labels := (&unstructured.Unstructured{Object: set.Object}).GetLabels()
	var warnings []string
	for _, field := range set.Fields() {
		before, ok := s.conflicts.set(kind, field, me)
		if !ok {
			continue
		}
		other := s.plugin(before)
		if other == nil || !other.defaults(kind, q.namespace(), labels) {
			continue
		}
		if len(warnings) < abi.MaxWarnings {
			warnings = append(warnings, text.Truncate(field+" is also set by another plugin; which one wins is not defined", abi.MaxWarning))
		}
		if k := (Conflict{Kind: kind, Field: field, Plugin: me, Other: before}); s.Conflict != nil && s.conflicts.isNew(k) {
			s.Conflict(k)
		}
	}
	return warnings
}
