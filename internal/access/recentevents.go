// SPDX-License-Identifier: Apache-2.0

package access

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/utils/clock"

	"github.com/k1s-io/k1s/internal/abi"
)

const (
	// eventWindow is how long an equal Event is not sent again.
	eventWindow = 5 * time.Minute
	// maxRecent is how many Events are remembered.
	maxRecent = 4096
)

// eventKey identifies equal Events. It is a hash, because the guest decides how long the fields are.
type eventKey [sha256.Size]byte

func keyOf(req abi.EventRequest) eventKey {
	text, _ := json.Marshal(req) // strings always marshal
	return sha256.Sum256(text)
}

// recentEvents remembers the Events that were sent, so that a plugin that repeats an Event in every reconcile does not
// fill etcd.
type recentEvents struct {
	cache *cache.LRUExpireCache
}

func newRecentEvents(clk clock.PassiveClock) *recentEvents {
	return &recentEvents{cache: cache.NewLRUExpireCacheWithClock(maxRecent, clk)}
}

// sent reports whether an equal Event was sent in the last eventWindow.
func (r *recentEvents) sent(key eventKey) bool {
	_, ok := r.cache.Get(key)
	return ok
}

func (r *recentEvents) remember(key eventKey) { r.cache.Add(key, struct{}{}, eventWindow) }
