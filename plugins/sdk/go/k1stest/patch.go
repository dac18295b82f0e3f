// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

type patchRequest struct {
	nameRequest
	PatchType string `json:"patchType"`
	Patch     any    `json:"patch"`
	Force     bool   `json:"force"`
}

func (h *Host) patch(request []byte, status bool) (any, *k1s.Error) {
	var r patchRequest
	if err := decode(request, &r); err != nil {
		return nil, err
	}
	id := r.id()
	if r.PatchType == "apply" {
		wanted, ok := r.Patch.(object)
		if !ok || identify(wanted) != id {
			return nil, failure(k1s.ReasonBadRequest, id, "the patch is not an applied configuration of this object")
		}
		return h.applyTo(id, wanted, r.Force, status)
	}
	if status {
		return nil, failure(k1s.ReasonForbidden, id, "capability: the status is written by apply only: use patchType apply")
	}
	if r.Force {
		return nil, failure(k1s.ReasonBadRequest, id, "force goes with patchType apply only")
	}
	old, err := h.store.find(id)
	if err != nil {
		return nil, err
	}
	next, err := patched(id, r, copyOf(old))
	if err != nil {
		return nil, err
	}
	return h.put(id, old, next)
}

// patched returns an object after a patch.
func patched(id objectKey, r patchRequest, o object) (object, *k1s.Error) {
	var result any
	switch r.PatchType {
	case string(k1s.MergePatch):
		result = mergePatch(o, r.Patch)
	case string(k1s.JSONPatch):
		var err error
		if result, err = jsonPatch(o, r.Patch); err != nil {
			return nil, failure(k1s.ReasonInvalid, id, err.Error())
		}
	default:
		return nil, failure(k1s.ReasonBadRequest, id, "k1stest has no patchType "+r.PatchType)
	}
	next, ok := result.(object)
	if !ok {
		return nil, failure(k1s.ReasonInvalid, id, "the patch makes something else of the object")
	}
	return next, nil
}

// mergePatch implements RFC 7386.
func mergePatch(target, patch any) any {
	changes, ok := patch.(object)
	if !ok {
		return patch
	}
	o, ok := target.(object)
	if !ok {
		o = object{}
	}
	for name, change := range changes {
		if change == nil {
			delete(o, name)
			continue
		}
		o[name] = mergePatch(o[name], change)
	}
	return o
}
