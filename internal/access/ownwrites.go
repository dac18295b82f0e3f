// SPDX-License-Identifier: Apache-2.0

package access

import (
	"encoding/json"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// maxOwnWrites is how many writes of a plugin are remembered. It needs to cover the writes whose events have not
// arrived yet.
const maxOwnWrites = 1024

// OwnWrites remembers the object states that a plugin's writes have resulted in, so that their watch events can be
// distinguished from those of others. The states come from the API server's responses. It is safe for concurrent use. A
// nil OwnWrites remembers nothing.
type OwnWrites struct {
	mu   sync.Mutex
	seen map[ownWrite]struct{}
	// order has the entries of seen, starting with the oldest at next.
	order []ownWrite
	next  int
}

// ownWrite is one state of an object.
type ownWrite struct {
	uid             types.UID
	resourceVersion string
}

// Has reports whether a write has resulted in a state.
func (w *OwnWrites) Has(uid types.UID, resourceVersion string) bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.seen[ownWrite{uid, resourceVersion}]
	return ok
}

// add remembers the object in the API server's response to a write.
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
		return // such as the Status in the response to a deletion
	}
	written := ownWrite{object.Metadata.UID, object.Metadata.ResourceVersion}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = map[ownWrite]struct{}{}
	}
	if _, ok := w.seen[written]; ok {
		return // the write changed nothing
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
