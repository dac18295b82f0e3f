// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
)

// Authorizer says what a plugin may do; an *access.Authorizer.
type Authorizer interface {
	Authorize(ctx context.Context, id access.Identity, action access.Action) (access.Decision, error)
}

// Marks verifies that a request is a plugin's own; an *ownwrite.Marks.
type Marks interface {
	// Verify reports whether one of the marks is the plugin's ("namespace/name") and valid.
	Verify(plugin string, marks []string) bool
}

// Metrics count and time the requests that are held up; a *metrics.Metrics.
type Metrics interface {
	AdmissionRequest(plugin, webhook string, result metrics.AdmissionResult, took time.Duration)
}

// ServerOptions configure a Server.
type ServerOptions struct {
	Authorizer Authorizer
	Exempt     Exempt
	// Marks tells the plugins' own writes; nil means that there are none.
	Marks Marks
	// InFlight limits the bytes of requests that are read and not answered yet.
	InFlight InFlight
	// Metrics may be nil.
	Metrics Metrics
	// Conflict hears of plugins that default the same field, once for each pair and field; it must not block. It may be nil.
	Conflict func(Conflict)
	// Unavailable returns what answers for a plugin that is not loaded here, nil for one that does not exist. It may be nil.
	Unavailable func(ctx context.Context, name types.NamespacedName) *Plugin
	Log         logr.Logger
}

// Server answers the API server's questions about requests that are held up for plugins. It never keeps one from
// the namespaces and groups that are exempt.
type Server struct {
	ServerOptions

	conflicts *conflicts
	inFlight  *inFlight
	now       func() time.Time
	// bodyTime is how long a body may take to arrive: maxBodyTime, but for tests.
	bodyTime time.Duration

	mu sync.Mutex // held while plugins come and go
	// plugins is replaced, never changed, so that requests need no lock.
	plugins atomic.Pointer[map[types.NamespacedName]*served]
}

// linger is how long requests for a plugin are let through that was removed: API servers take a moment to hear that
// its configurations are gone.
const linger = 10 * time.Second

var _ http.Handler = (*Server)(nil)

// NewServer makes a Server without plugins.
func NewServer(o ServerOptions) *Server {
	s := &Server{ServerOptions: o, conflicts: newConflicts(), inFlight: newInFlight(o.InFlight), now: time.Now, bodyTime: maxBodyTime}
	s.plugins.Store(&map[types.NamespacedName]*served{})
	return s
}

// Set makes requests be held up for a plugin, or changes how; the plugin must not be changed afterwards.
func (s *Server) Set(p *Plugin) { s.put(p.Name, newServed(p)) }

// Remove ends it, after the plugin's configurations have been removed. What the API server asks about it all the same
// is let through for a moment; after that, the failure policy there decides, as for every plugin that is not loaded.
func (s *Server) Remove(name types.NamespacedName) {
	s.put(name, nil)
	s.conflicts.forget(name)
}

func (s *Server) put(name types.NamespacedName, p *served) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := maps.Clone(*s.plugins.Load())
	maps.DeleteFunc(next, func(_ types.NamespacedName, p *served) bool { return p.gone(s.now()) })
	if before := next[name]; p == nil && before != nil {
		p = &served{left: s.now()}
	}
	if p != nil {
		next[name] = p
	}
	s.plugins.Store(&next)
}

// plugin returns a plugin that is served.
func (s *Server) plugin(name types.NamespacedName) *served {
	p := (*s.plugins.Load())[name]
	if p == nil || !p.left.IsZero() {
		return nil
	}
	return p
}

// hasLeft reports whether a plugin was removed a moment ago.
func (s *Server) hasLeft(name types.NamespacedName) bool {
	p := (*s.plugins.Load())[name]
	return p != nil && !p.left.IsZero() && !p.gone(s.now())
}

// ServeHTTP answers an AdmissionReview. An HTTP error, which leaves the answer to the API server's own failure
// policy, is for what is not a review, for plugins that do not exist, whose policy only the API server knows, and for
// more than there is memory for.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hook, name, ok := parsePath(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	p, left := s.plugin(name), s.hasLeft(name)
	if p == nil && !left {
		p = s.unloaded(r.Context(), name)
	}
	if p == nil && !left {
		http.Error(w, fmt.Sprintf("plugin %q is not loaded: kubectl -n %s get wp %s", name, name.Namespace, name.Name), http.StatusServiceUnavailable)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "only POST is answered", http.StatusMethodNotAllowed)
		return
	}
	release, ok := s.inFlight.acquire(name, sizeOf(r))
	if !ok {
		s.overloaded(w, hook, name, p)
		return
	}
	defer release()
	request, status, err := readReview(w, r, time.Now().Add(s.bodyTime))
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	if p == nil {
		s.write(w, name, request, allowed(nil))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience(p.Timeout, r.URL.Query().Get("timeout")))
	defer cancel()
	s.write(w, name, request, s.answer(ctx, p, hook, request))
}

// errOverloaded means that a request was rejected unread.
var errOverloaded = errors.New("rejected unread: too many bytes of admission requests are in flight")

// overloaded rejects a request unread. The API server tries again after the time in Retry-After, as long as the
// webhook's timeout lasts, and then applies the failure policy; what it says to whoever made the request is just that
// the time is over. A plugin that was removed is nil.
func (s *Server) overloaded(w http.ResponseWriter, hook webhook, name types.NamespacedName, p *served) {
	if s.Metrics != nil {
		s.Metrics.AdmissionRequest(name.String(), string(hook), metrics.AdmissionOverloaded, 0)
	}
	if p != nil && p.Failed != nil {
		p.Failed(Failure{Export: string(hook), Key: "requests", Err: errOverloaded})
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, fmt.Sprintf("plugin %q: %v", name, errOverloaded), http.StatusTooManyRequests)
}

func (s *Server) write(w http.ResponseWriter, name types.NamespacedName, request *admissionv1.AdmissionRequest, response *admissionv1.AdmissionResponse) {
	response.UID = request.UID
	review := admissionv1.AdmissionReview{Response: response}
	review.SetGroupVersionKind(admissionv1.SchemeGroupVersion.WithKind("AdmissionReview"))
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(review); err != nil { // the API server has gone away
		s.Log.V(1).Info("Cannot answer a request that is held up", "plugin", name.String(), "error", err.Error())
	}
}

// patience is how long a request is worked on: the plugin's own bound or the API server's, which is in the URL, less
// what it takes to answer. Of its own bound a plugin gets a little less still, see newServed, so that it is the plugin
// that has taken too long, and not whoever asks that has gone away: that counts for the circuit breaker and the status.
func patience(own time.Duration, asked string) time.Duration {
	if theirs, err := time.ParseDuration(asked); err == nil && theirs > 0 && theirs < own {
		return theirs - answering(theirs)
	}
	return own - answering(own)/2
}

// answering is the part of a bound that is kept for the answer.
func answering(bound time.Duration) time.Duration {
	const least, most = 50 * time.Millisecond, 500 * time.Millisecond
	return min(max(bound/10, least), most)
}
