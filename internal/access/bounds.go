// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/utils/clock"
)

// What follows bounds what a guest can have the operator do in its own name, or fill for everybody: none of it counts
// against the plugin's account at the API server, or is held up by the bounds of its spec, because it happens before
// them. The numbers are far above what a controller needs.
const (
	// reviewsPerSecond and reviewBurst bound the reviews of RBAC that the API server is asked for.
	reviewsPerSecond, reviewBurst = 100, 1000
	// lookupsPerSecond and lookupBurst bound the kinds that are looked up without being known: each is a request to
	// the API server, for which other plugins' look-ups wait.
	lookupsPerSecond, lookupBurst = 5, 20
	// eventsPerSecond and eventBurst bound the events that are created: they fill etcd, which has them for an hour.
	eventsPerSecond, eventBurst = 10, 1000
	// recordsPerSecond and recordBurst limit the Records of requests that were not allowed, and once more those of
	// HTTP requests that were: with more of them, other plugins' would be lost, or put aside before anybody reads them.
	recordsPerSecond, recordBurst = 10, 1000
	// unknownFor is how long a kind that is not installed is not looked up again, and maxUnknown how many are remembered.
	unknownFor, maxUnknown = 5 * time.Second, 128
	// maxSelector bounds a selector in bytes: matching is the operator's work, and does not end with the guest's call.
	maxSelector = 16 << 10
)

// bounds are those of one plugin.
type bounds struct {
	clock                                      clock.PassiveClock
	reviews, lookups, events, lines, httpLines *rate.Limiter
	// unknown are kinds that were not installed a moment ago.
	unknown *cache.LRUExpireCache
	// omitted counts Records since the last one that was made.
	omitted atomic.Int64
}

func newBounds(clk clock.PassiveClock) *bounds {
	return &bounds{
		clock:     clk,
		reviews:   rate.NewLimiter(reviewsPerSecond, reviewBurst),
		lookups:   rate.NewLimiter(lookupsPerSecond, lookupBurst),
		events:    rate.NewLimiter(eventsPerSecond, eventBurst),
		lines:     rate.NewLimiter(recordsPerSecond, recordBurst),
		httpLines: rate.NewLimiter(recordsPerSecond, recordBurst),
		unknown:   cache.NewLRUExpireCacheWithClock(maxUnknown, clk),
	}
}

func (b *bounds) allow(l *rate.Limiter) bool { return l.AllowN(b.clock.Now(), 1) }

// mayReview reports whether the API server may be asked once more what the plugin's account may do.
func (b *bounds) mayReview() bool { return b.allow(b.reviews) }

// notInstalled is the answer about a kind that there is not.
func notInstalled(gvk schema.GroupVersionKind) error {
	return apierrors.NewBadRequest(fmt.Sprintf("kind %q of %q is not installed", gvk.Kind, gvk.GroupVersion()))
}

// errReviews says that a right was not asked about, because the plugin asks about too many.
var errReviews = errors.New("too many reviews")

// tooOften is the answer above one of the bounds here.
func tooOften(what string, perSecond int) error {
	return &refusal{layer: layerRate, StatusError: &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusTooManyRequests,
		Reason:  metav1.StatusReasonTooManyRequests,
		Message: fmt.Sprintf("%s: %s: %d a second are allowed in the long run", layerRate, what, perSecond),
		Details: &metav1.StatusDetails{RetryAfterSeconds: 1},
	}}}
}
