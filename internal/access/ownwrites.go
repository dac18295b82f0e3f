// SPDX-License-Identifier: Apache-2.0

package access

import (
	"encoding/json"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// maxOwnWrites is how many writes of a plugin are remembered: those whose events are still to come.
const maxOwnWrites = 1024

// OwnWrites remembers the states of objects that a plugin's writes have led to, as the API server answered, so that
// their events can be told from others'. It is safe for concurrent use; nil remembers nothing.
type OwnWrites struct {
	mu   sync.Mutex
	seen map[ownWrite]struct{}
	// order holds what is in seen, from next on the oldest first.
	order []ownWrite
	next  int
}

// ownWrite is a state of an object.
type ownWrite struct {
	uid             types.UID
	resourceVersion string
}

// Has reports whether a write has led to a state.
func (w *OwnWrites) Has(uid types.UID, resourceVersion string) bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.seen[ownWrite{uid, resourceVersion}]
	return ok
}

// add remembers the object that the API server answered a write with.
func (w *OwnWrites) add(answer []byte) {
	if w == nil {
		return
	}
	var object struct {
		Metadata struct {
			UID             types.UID `json:"uid"`
			ResourceVersion string    `json:"resourceVersion"`
		} `json:"metadata"`
	}
	if json.Unmarshal(answer, &object) != nil || object.Metadata.UID == "" {
		return // such as the Status that a deletion is answered with
	}
	written := ownWrite{object.Metadata.UID, object.Metadata.ResourceVersion}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = map[ownWrite]struct{}{}
	}
	if _, ok := w.seen[written]; ok {
		return // it changed nothing
	}
	w.seen[written] = struct{}{}
	if len(w.order) < maxOwnWrites {
		w.order = append(w.order, written)
		return
	}
	delete(w.seen, w.order[w.next])
	w.order[w.next] = written
	w.next = (w.next + 1) % maxOwnWrites
}
