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
	// eventWindow is how long an equal event is not sent again.
	eventWindow = 5 * time.Minute
	// maxRecent bounds how many events are remembered.
	maxRecent = 4096
)

// eventKey identifies equal events. It is a hash because the guest decides how long the members are.
type eventKey [sha256.Size]byte

func keyOf(req abi.EventRequest) eventKey {
	text, _ := json.Marshal(req) // strings always marshal
	return sha256.Sum256(text)
}

// recentEvents remembers what was sent, so that a plugin that says the same at every reconcile does
// not fill etcd.
type recentEvents struct {
	cache *cache.LRUExpireCache
}

func newRecentEvents(clk clock.PassiveClock) *recentEvents {
	return &recentEvents{cache: cache.NewLRUExpireCacheWithClock(maxRecent, clk)}
}

// sent reports whether an equal event was sent in the last eventWindow.
func (r *recentEvents) sent(key eventKey) bool {
	_, ok := r.cache.Get(key)
	return ok
}

func (r *recentEvents) remember(key eventKey) { r.cache.Add(key, struct{}{}, eventWindow) }
