// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Add adds objects with their status to the store, as if they had existed before the plugin. It replaces objects with
// the same key. It sets the fields that an API server would set: uid, resource version, generation, and creation time.
func (h *Host) Add(objects ...k1s.Resource) {
	h.t.Helper()
	for _, o := range objects {
		text, err := json.Marshal(o)
		if err != nil {
			h.t.Fatalf("k1stest: marshal %s: %v", k1s.KeyOf(o), err)
		}
		h.AddJSON(string(text))
	}
}

// AddJSON is like Add for objects in JSON.
func (h *Host) AddJSON(texts ...string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, text := range texts {
		o, err := decodeObject([]byte(text))
		if err != nil {
			h.t.Fatalf("k1stest: %v in %s", err, text)
		}
		id := identify(o)
		if old := h.store.objects[id]; old != nil {
			h.store.replace(id, old, o)
			continue
		}
		h.store.insert(id, o, h.now)
	}
}

// Remove removes an object from the store immediately, even if it has finalizers.
func (h *Host) Remove(ref k1s.TypeReference, key k1s.Key) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.store.remove(keyOf(ref, key))
}

// Object returns an object from the store, or nil if it does not exist.
func (h *Host) Object(ref k1s.TypeReference, key k1s.Key) *k1s.Object {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.store.objects[keyOf(ref, key)]
	if o == nil {
		return nil
	}
	parsed, err := k1s.ParseObject(string(encode(o)))
	if err != nil {
		h.t.Fatalf("k1stest: %v", err)
	}
	return parsed
}

// Load decodes an object from the store without a Call. The test fails if it does not exist.
func (h *Host) Load(key k1s.Key, into k1s.Resource) {
	h.t.Helper()
	o := h.Object(into.TypeRef(), key)
	if o == nil {
		h.t.Fatalf("k1stest: there is no %s %s", into.TypeRef().Kind, key)
	}
	if err := o.Decode(into); err != nil {
		h.t.Fatalf("k1stest: read %s %s: %v", into.TypeRef().Kind, key, err)
	}
}
