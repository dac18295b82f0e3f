// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// maxReview bounds a request's body: two objects, each of which the API server takes up to 3 MiB of, and what comes
// with them.
const maxReview = 7 << 20

// Authorizer says what a plugin may do; an *access.Authorizer.
type Authorizer interface {
	Authorize(ctx context.Context, id access.Identity, action access.Action) (access.Decision, error)
}

// Metrics count and time the requests that are held up; a *metrics.Metrics.
type Metrics interface {
	Held(plugin, webhook string, result metrics.AdmissionResult, took time.Duration)
}

// ServerOptions configure a Server.
type ServerOptions struct {
	Authorizer Authorizer
	Exempt     Exempt
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
	now       func() time.Time

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
	s := &Server{ServerOptions: o, conflicts: newConflicts(), now: time.Now}
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

// hasLeft says whether a plugin was removed a moment ago.
func (s *Server) hasLeft(name types.NamespacedName) bool {
	p := (*s.plugins.Load())[name]
	return p != nil && !p.left.IsZero() && !p.gone(s.now())
}

// ServeHTTP answers an AdmissionReview. An HTTP error, which leaves the answer to the API server's own failure
// policy, is for what is no review and for plugins that do not exist, whose policy only the API server knows.
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
	request, status, err := readReview(w, r)
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

func (s *Server) write(w http.ResponseWriter, name types.NamespacedName, request *admissionv1.AdmissionRequest, response *admissionv1.AdmissionResponse) {
	response.UID = request.UID
	review := admissionv1.AdmissionReview{Response: response}
	review.SetGroupVersionKind(admissionv1.SchemeGroupVersion.WithKind("AdmissionReview"))
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(review); err != nil { // the API server has gone away
		s.Log.V(1).Info("Cannot answer a request that is held up", "plugin", name.String(), "error", err.Error())
	}
}

// readReview reads what the API server asks. With an error it returns the HTTP status.
func readReview(w http.ResponseWriter, r *http.Request) (*admissionv1.AdmissionRequest, int, error) {
	if r.Method != http.MethodPost {
		return nil, http.StatusMethodNotAllowed, errors.New("only POST is answered")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReview))
	if long := (*http.MaxBytesError)(nil); errors.As(err, &long) {
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("the AdmissionReview is longer than the %d bytes that are read", long.Limit)
	}
	if err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("read the AdmissionReview: %w", err)
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(body, &review); err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("decode the AdmissionReview: %w", err)
	}
	if review.GroupVersionKind() != admissionv1.SchemeGroupVersion.WithKind("AdmissionReview") || review.Request == nil {
		return nil, http.StatusBadRequest, errors.New("it is no AdmissionReview of admission.k8s.io/v1 with a request")
	}
	return review.Request, 0, nil
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
