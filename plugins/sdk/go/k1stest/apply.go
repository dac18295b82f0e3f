// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	"slices"
	"strings"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

func (h *Host) apply(request []byte) (any, *k1s.Error) {
	wanted, force, err := decodeCarried(request, true)
	if err != nil {
		return nil, err
	}
	return h.applyTo(identify(wanted), wanted, force, false)
}

// applyTo implements server-side apply, to the object or to its status.
func (h *Host) applyTo(id objectKey, wanted object, force, status bool) (any, *k1s.Error) {
	if meta := child(wanted, "metadata"); meta["managedFields"] != nil {
		return nil, failure(k1s.ReasonBadRequest, id, "metadata.managedFields must be empty")
	}
	old := h.store.objects[id]
	if old == nil && (status || id.key.Name == "") {
		return nil, failure(k1s.ReasonNotFound, id, "not found")
	}
	next := object{}
	if old != nil {
		next = copyOf(old)
	}
	// Each of the two resources contains only its own part of the object.
	own := copyOf(wanted)
	delete(own, "status")
	if status {
		own = object{}
		setOrDelete(own, "status", deepCopy(wanted["status"]))
	}
	var merge applier
	merge.object(next, h.store.applied[appliedKey{id, status}], copyOf(own), "")
	if len(merge.conflicts) > 0 && !force {
		slices.Sort(merge.conflicts)
		return nil, failure(k1s.ReasonConflict, id, "other field managers own "+strings.Join(merge.conflicts, ", "))
	}
	if old == nil {
		h.store.insert(id, next, h.now)
	} else {
		h.store.replace(id, old, next)
	}
	h.store.applied[appliedKey{id, status}] = own
	return next, nil
}

// applier merges the wanted object into the live one. The argument before is what the plugin applied the last time.
type applier struct {
	conflicts []string
}

func (a *applier) object(live, before, wanted object, path string) {
	for name, value := range before {
		if _, still := wanted[name]; !still {
			a.remove(live, name, value)
		}
	}
	for name, value := range wanted {
		live[name] = a.value(name, live[name], before[name], value, path+"."+name)
	}
}

// value returns the merged value of the member of that name.
func (a *applier) value(name string, live, before, wanted any, path string) any {
	switch wanted := wanted.(type) {
	case object:
		there, ok := live.(object)
		if !ok {
			there = object{}
		}
		earlier, _ := before.(object)
		a.object(there, earlier, wanted, path)
		return there
	case []any:
		if key, ok := listKeys[name]; ok {
			there, _ := live.([]any)
			earlier, _ := before.([]any)
			return a.list(key, there, earlier, wanted, path)
		}
	}
	if live != nil && !equal(live, wanted) && !equal(live, before) {
		a.conflicts = append(a.conflicts, path)
	}
	return wanted
}

// remove removes what the plugin applied before and does not apply any more, and nothing else.
func (a *applier) remove(live object, name string, before any) {
	switch before := before.(type) {
	case object:
		if there, ok := live[name].(object); ok {
			for member, value := range before {
				a.remove(there, member, value)
			}
			if len(there) > 0 {
				return
			}
		}
	case []any:
		if key, ok := listKeys[name]; ok {
			there, _ := live[name].([]any)
			if rest := a.list(key, there, before, nil, ""); len(rest) > 0 {
				live[name] = rest
				return
			}
		}
	}
	delete(live, name)
}
