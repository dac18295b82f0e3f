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

	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin/metrics"
)

// Authorizer decides whether a plugin is allowed an action. It is implemented by *rbac.Authorizer.
type Authorizer interface {
	Authorize(ctx context.Context, id rbac.Identity, action rbac.Action) (rbac.Decision, error)
}

// Marks verifies that a plugin caused a request itself. It is implemented by *ownwrite.Marks.
type Marks interface {
	// Verify reports whether one of the marks is valid for the plugin ("namespace/name").
	Verify(plugin string, marks []string) bool
}

// Metrics counts admission requests, and measures their duration. It is implemented by *metrics.Metrics.
type Metrics interface {
	AdmissionRequest(plugin, webhook string, result metrics.AdmissionResult, took time.Duration)
}

// ServerOptions are the options of a Server.
type ServerOptions struct {
	Authorizer Authorizer
	Exempt     Exempt
	// Marks identifies the plugins' own writes; nil means that no write has a mark.
	Marks Marks
	// InFlight limits the bytes of admission requests that have been read and not answered yet.
	InFlight InFlight
	// Metrics may be nil.
	Metrics Metrics
	// Conflict is called if two plugins set the same field by default, once for each pair and field. It must not block,
	// and may be nil.
	Conflict func(Conflict)
	// Unavailable returns the Plugin that stands for a plugin that this replica has not loaded, or nil if the plugin
	// does not exist. It may be nil.
	Unavailable func(ctx context.Context, name types.NamespacedName) *Plugin
	Log         logr.Logger
}

// Server serves the admission webhooks of plugins. It never denies a request in the exempt namespaces and groups.
type Server struct {
	ServerOptions

	conflicts *conflicts
	inFlight  *inFlight
	now       func() time.Time
	// bodyTime is how long a body may take to arrive: maxBodyTime, except in tests.
	bodyTime time.Duration

	mu sync.Mutex // held while plugins are set and removed
	// plugins is replaced, never changed, so that requests need no lock.
	plugins atomic.Pointer[map[types.NamespacedName]*served]
}

// linger is how long requests for a removed plugin are allowed. API servers need a moment to observe that its webhook
// configurations are deleted.
const linger = 10 * time.Second

var _ http.Handler = (*Server)(nil)

// NewServer returns a Server without plugins.
func NewServer(o ServerOptions) *Server {
	s := &Server{ServerOptions: o, conflicts: newConflicts(), inFlight: newInFlight(o.InFlight), now: time.Now, bodyTime: maxBodyTime}
	s.plugins.Store(&map[types.NamespacedName]*served{})
	return s
}

// Set starts or updates the webhooks of a plugin. The plugin must not be changed afterwards.
func (s *Server) Set(p *Plugin) { s.put(p.Name, newServed(p)) }

// Remove stops the webhooks of a plugin, after its webhook configurations have been deleted. Requests that the API
// server still sends are allowed during linger. After that, the API server's failure policy applies, as for every
// plugin that is not loaded.
func (s *Server) Remove(name types.NamespacedName) {
	s.put(name, nil)
	s.conflicts.forget(name)
}

func (s *Server) put(name types.NamespacedName, p *served) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := maps.Clone(*s.plugins.Load())
	maps.DeleteFunc(next, func(_ types.NamespacedName, p *served) bool { return p.isRemoved(s.now()) })
	if before := next[name]; p == nil && before != nil {
		p = &served{left: s.now()}
	}
	if p != nil {
		next[name] = p
	}
	s.plugins.Store(&next)
}

// plugin returns a plugin whose webhooks are served, or nil.
func (s *Server) plugin(name types.NamespacedName) *served {
	p := (*s.plugins.Load())[name]
	if p == nil || !p.left.IsZero() {
		return nil
	}
	return p
}

// hasLeft reports whether a plugin was removed less than linger ago.
func (s *Server) hasLeft(name types.NamespacedName) bool {
	p := (*s.plugins.Load())[name]
	return p != nil && !p.left.IsZero() && !p.isRemoved(s.now())
}

// ServeHTTP answers an AdmissionReview. It responds with an HTTP error, for which the API server applies its failure
// policy, in these cases: the request is not an AdmissionReview, the plugin does not exist, so that only the API server
// knows its failure policy, or the limits of requests in flight are exceeded.
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
	done, ok := s.inFlight.acquire(name, sizeOf(r))
	if !ok {
		s.overloaded(w, hook, name, p)
		return
	}
	defer done()
	request, status, err := readReview(w, r, time.Now().Add(s.bodyTime))
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	if p == nil {
		s.write(w, name, request, allowed(nil))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeoutOf(p.Timeout, r.URL.Query().Get("timeout")))
	defer cancel()
	s.write(w, name, request, s.answer(ctx, p, hook, request))
}

// errOverloaded means that a request was rejected before it was read.
var errOverloaded = errors.New("rejected unread: too many bytes of admission requests are in flight")

// overloaded rejects a request before it is read. The API server retries after the time in Retry-After until the
// webhook's timeout, and then applies the failure policy. The client only gets the message that the webhook timed out.
// p is nil for a plugin that was removed.
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
	if err := json.NewEncoder(w).Encode(review); err != nil { // the API server has closed the connection
		s.Log.V(1).Info("Failed to answer an admission request", "plugin", name.String(), "error", err.Error())
	}
}

// timeoutOf returns the timeout of a request: the plugin's own timeout, or the API server's timeout in the URL if that
// is shorter, minus the time to write the response. The calls of a plugin get a little less than its own timeout, see
// newServed, so that a slow plugin causes a timeout of its call, and not a canceled request. Only the former counts for
// the circuit breaker and the status.
func timeoutOf(own time.Duration, asked string) time.Duration {
	if theirs, err := time.ParseDuration(asked); err == nil && theirs > 0 && theirs < own {
		return theirs - withDeadline(theirs)
	}
	return own - withDeadline(own)/2
}

// withDeadline returns the part of a timeout that is reserved for the response.
func withDeadline(bound time.Duration) time.Duration {
	const least, most = 50 * time.Millisecond, 500 * time.Millisecond
	return min(max(bound/10, least), most)
}
