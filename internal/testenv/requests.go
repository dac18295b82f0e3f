// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Requests records every request to the API server.
type Requests struct {
	mu   sync.Mutex
	seen []string
	// before runs before a request is sent. If it returns an error, the request fails with it.
	before func(*http.Request) error
}

// Wrap records the requests of a transport.
func (r *Requests) Wrap(next http.RoundTripper) http.RoundTripper {
	return RoundTrip(func(req *http.Request) (*http.Response, error) {
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

// Intercept sets the function that runs before every request from now on; nil means none.
func (r *Requests) Intercept(before func(*http.Request) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before = before
}

// Reset removes the recorded requests.
func (r *Requests) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = nil
}

// Count counts the requests whose line contains a text.
func (r *Requests) Count(part string) int {
	n := 0
	for _, line := range r.Lines() {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

// Lines returns "METHOD path" of every request.
func (r *Requests) Lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// None fails the test if any request was made.
func (r *Requests) None(t *testing.T) {
	t.Helper()
	if lines := r.Lines(); len(lines) > 0 {
		t.Errorf("requests reached the API server: %q", lines)
	}
}

// RoundTrip is a function that implements http.RoundTripper.
type RoundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f RoundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
