// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	stdjson "encoding/json"
	"fmt"
	"strconv"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

// store is the storage of the API server.
type store struct {
	objects map[objectKey]object
	// applied is what the plugin applied last, to the object and to its status.
	applied map[appliedKey]object
	version int // the newest resource version
	created int // number of created objects, for uids and generated names
}

type appliedKey struct {
	objectKey
	status bool
}

func newStore() store {
	return store{objects: make(map[objectKey]object), applied: make(map[appliedKey]object)}
}

// insert adds a new object.
func (s *store) insert(id objectKey, o object, now time.Time) {
	s.created++
	meta := metadataOf(o)
	defaults := object{
		"uid":               fmt.Sprintf("uid-%d", s.created),
		"creationTimestamp": k1s.Timestamp(now),
		"generation":        stdjson.Number("1"),
	}
	for name, value := range defaults {
		if meta[name] == nil {
			meta[name] = value
		}
	}
	s.stamp(o)
	s.objects[id] = o
}

// replace replaces old by o, and keeps the fields that the API server does not allow to change. It removes an object
// that is being deleted and has no finalizers.
func (s *store) replace(id objectKey, old, o object) {
	meta, oldMeta := metadataOf(o), child(old, "metadata")
	for _, name := range []string{
		"uid", "creationTimestamp", "generation", "deletionTimestamp", "resourceVersion",
	} {
		setOrDelete(meta, name, oldMeta[name])
	}
	if equal(old, o) {
		return
	}
	if !equal(withoutMetaAndStatus(old), withoutMetaAndStatus(o)) {
		generation, _ := strconv.Atoi(fmt.Sprint(oldMeta["generation"]))
		meta["generation"] = stdjson.Number(strconv.Itoa(generation + 1))
	}
	s.stamp(o)
	s.objects[id] = o
	if finalizers, _ := meta["finalizers"].([]any); meta["deletionTimestamp"] != nil && len(finalizers) == 0 {
		s.remove(id)
	}
}

func (s *store) remove(id objectKey) {
	delete(s.objects, id)
	delete(s.applied, appliedKey{id, false})
	delete(s.applied, appliedKey{id, true})
}

// stamp sets a new resource version.
func (s *store) stamp(o object) {
	s.version++
	metadataOf(o)["resourceVersion"] = strconv.Itoa(s.version)
}

// find returns an object, or a NotFound error if it does not exist.
func (s *store) find(id objectKey) (object, *k1s.Error) {
	if o := s.objects[id]; o != nil {
		return o, nil
	}
	return nil, failure(k1s.ReasonNotFound, id, "not found")
}

func failure(reason k1s.Reason, id objectKey, what string) *k1s.Error {
	err := k1s.NewError(reason, fmt.Sprintf("%s: %s", id, what))
	err.Details.Name, err.Details.Kind = id.key.Name, id.ref.Kind
	return err
}

func withoutMetaAndStatus(o object) object {
	rest := make(object, len(o))
	for name, member := range o {
		if name != "metadata" && name != "status" {
			rest[name] = member
		}
	}
	return rest
}
