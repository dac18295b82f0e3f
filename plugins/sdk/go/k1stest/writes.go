// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	"fmt"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

func (h *Host) create(request []byte) (any, *k1s.Error) {
	o, _, err := decodeCarried(request, false)
	if err != nil {
		return nil, err
	}
	meta := metadataOf(o)
	if prefix := text(meta, "generateName"); text(meta, "name") == "" && prefix != "" {
		meta["name"] = fmt.Sprintf("%s%05d", prefix, h.store.created+1)
	}
	id := identify(o)
	switch {
	case id.key.Name == "":
		return nil, failure(k1s.ReasonInvalid, id, "metadata.name is needed")
	case text(meta, "resourceVersion") != "":
		return nil, failure(k1s.ReasonBadRequest, id, "resourceVersion must not be set on what is created")
	case h.store.objects[id] != nil:
		return nil, failure(k1s.ReasonAlreadyExists, id, "already exists")
	}
	delete(o, "status")
	for _, name := range []string{"uid", "generation", "creationTimestamp", "deletionTimestamp"} {
		delete(meta, name)
	}
	h.store.insert(id, o, h.now)
	return h.store.objects[id], nil
}

func (h *Host) update(request []byte) (any, *k1s.Error) {
	o, _, err := decodeCarried(request, false)
	if err != nil {
		return nil, err
	}
	id := identify(o)
	old, err := h.store.find(id)
	if err != nil {
		return nil, err
	}
	if text(child(o, "metadata"), "resourceVersion") == "" {
		return nil, failure(k1s.ReasonInvalid, id, "metadata.resourceVersion is needed for an update")
	}
	return h.put(id, old, o)
}

// updateStatus applies the status of an object.
func (h *Host) updateStatus(request []byte) (any, *k1s.Error) {
	o, _, err := decodeCarried(request, false)
	if err != nil {
		return nil, err
	}
	id := identify(o)
	old, err := h.store.find(id)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"uid", "resourceVersion"} {
		if found := text(child(o, "metadata"), name); found != "" && found != text(child(old, "metadata"), name) {
			return nil, failure(k1s.ReasonConflict, id, "the object has been modified")
		}
	}
	wanted := object{}
	setOrDelete(wanted, "status", o["status"])
	return h.applyTo(id, wanted, false, true)
}

// put stores the object of a write request, except its status.
func (h *Host) put(id objectKey, old, o object) (any, *k1s.Error) {
	if found := text(child(o, "metadata"), "resourceVersion"); found != "" &&
		found != text(child(old, "metadata"), "resourceVersion") {
		return nil, failure(k1s.ReasonConflict, id, "the object has been modified")
	}
	if identify(o) != id {
		return nil, failure(k1s.ReasonBadRequest, id, "kind, namespace and name cannot change")
	}
	setOrDelete(o, "status", old["status"])
	h.store.replace(id, old, o)
	return o, nil
}

func (h *Host) delete(request []byte) *k1s.Error {
	var r deleteRequest
	if err := decode(request, &r); err != nil {
		return err
	}
	old, err := h.store.find(r.id())
	if err != nil {
		return err
	}
	meta := child(old, "metadata")
	if r.UID != "" && r.UID != text(meta, "uid") ||
		r.ResourceVersion != "" && r.ResourceVersion != text(meta, "resourceVersion") {
		return failure(k1s.ReasonConflict, r.id(), "uid or resourceVersion is another")
	}
	if finalizers, _ := meta["finalizers"].([]any); len(finalizers) == 0 {
		h.store.remove(r.id())
		return nil
	}
	if meta["deletionTimestamp"] == nil {
		next := copyOf(old)
		metadataOf(next)["deletionTimestamp"] = k1s.Timestamp(h.now)
		h.store.stamp(next)
		h.store.objects[r.id()] = next
	}
	return nil
}

// decodeCarried decodes a request that contains an object, and returns whether it has the force option.
func decodeCarried(request []byte, apply bool) (object, bool, *k1s.Error) {
	var r objectRequest
	if err := decode(request, &r); err != nil {
		return nil, false, err
	}
	if r.Force && !apply {
		return nil, false, k1s.NewError(k1s.ReasonBadRequest, `unknown field "force"`)
	}
	if text(r.Object, "apiVersion") == "" || text(r.Object, "kind") == "" {
		return nil, false, k1s.NewError(k1s.ReasonBadRequest, "object has no apiVersion or no kind")
	}
	return r.Object, r.Force, nil
}
