// SPDX-License-Identifier: Apache-2.0

package access

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// recorder records every request to the API server.
type recorder struct {
	mu   sync.Mutex
	seen []string
	// before runs before a request is sent. If it returns an error, the request fails with it.
	before func(*http.Request) error
}

func (r *recorder) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		r.mu.Lock()
		r.seen = append(r.seen, req.Method+" "+req.URL.EscapedPath())
		before := r.before
		r.mu.Unlock()
		if before != nil {
			if err := before(req); err != nil {
				return nil, err
			}
		}
		return next.RoundTrip(req)
	})
}

// intercept sets the function that runs before every request from now on; nil means none.
func (r *recorder) intercept(before func(*http.Request) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before = before
}

// reset removes the recorded requests.
func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = nil
}

// count counts the requests whose line contains a text.
func (r *recorder) count(part string) int {
	n := 0
	for _, line := range r.lines() {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

// lines returns "METHOD path" of every request.
func (r *recorder) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// none fails the test if any request was made.
func (r *recorder) none(t *testing.T) {
	t.Helper()
	if lines := r.lines(); len(lines) > 0 {
		t.Errorf("requests reached the API server: %q", lines)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
