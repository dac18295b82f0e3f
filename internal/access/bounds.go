// SPDX-License-Identifier: Apache-2.0

package access

import (
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

	"github.com/k1s-io/k1s/internal/access/audit"
)

// These limits restrict what a guest can make the operator do in its own name, or fill up for everyone. Such requests
// are not limited elsewhere: neither by the API server's limits for the plugin's ServiceAccount, nor by spec.security,
// which is applied later. The numbers are far above the needs of a controller.
const (
	// reviewsPerSecond and reviewBurst limit the SubjectAccessReviews that are sent to the API server.
	reviewsPerSecond, reviewBurst = 100, 1000
	// lookupsPerSecond and lookupBurst limit the lookups of unknown kinds: each is a request to the API server, which
	// delays the lookups of other plugins.
	lookupsPerSecond, lookupBurst = 5, 20
	// eventsPerSecond and eventBurst limit the Events that are created: they fill etcd, which keeps them for an hour.
	eventsPerSecond, eventBurst = 10, 1000
	// recordsPerSecond and recordBurst limit the Records of requests that were not allowed, and separately those of
	// HTTP requests that were. With more Records, those of other plugins would be lost, or rotated away before anyone
	// reads them.
	recordsPerSecond, recordBurst = 10, 1000
	// unknownFor is how long a kind that is not installed is not looked up again. maxUnknown is how many such kinds are
	// cached.
	unknownFor, maxUnknown = 5 * time.Second, 128
	// maxSelector is the maximum length of a selector in bytes: the operator does the matching, which does not end with
	// the guest's call.
	maxSelector = 16 << 10
)

// bounds are the rate limiters and the cache of one plugin.
type bounds struct {
	clock                                      clock.PassiveClock
	reviews, lookups, events, lines, httpLines *rate.Limiter
	// unknown caches kinds that were not installed at their last lookup.
	unknown *cache.LRUExpireCache
	// omitted counts the omitted Records since the last one that was made.
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

// canReview reports whether one more SubjectAccessReview for the plugin is within the limit.
func (b *bounds) canReview() bool { return b.allow(b.reviews) }

// notInstalled returns the error for a kind that is not installed.
func notInstalled(gvk schema.GroupVersionKind) error {
	return apierrors.NewBadRequest(fmt.Sprintf("kind %q of %q is not installed", gvk.Kind, gvk.GroupVersion()))
}

// tooOften returns the error for a request above one of these limits.
func tooOften(what string, perSecond int) error {
	return &denial{layer: audit.LayerRate, StatusError: &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusTooManyRequests,
		Reason:  metav1.StatusReasonTooManyRequests,
		Message: fmt.Sprintf("%s: %s: %d a second are allowed in the long run", audit.LayerRate, what, perSecond),
		Details: &metav1.StatusDetails{RetryAfterSeconds: 1},
	}}}
}
