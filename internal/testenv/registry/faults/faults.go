// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

// Fault changes what a registry responds. It forwards the request to next or responds itself.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// On restricts a fault to the requests with a method and a part of the path.
func On(method, part string, f Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == method && strings.Contains(r.URL.Path, part) {
			f(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	}
}

// Edited passes the registry's response on with changes. A Content-Length is only sent if edit leaves one.
func Edited(edit func(h http.Header, body []byte) []byte) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		got := httptest.NewRecorder()
		next.ServeHTTP(got, r)
		body := edit(got.Header(), got.Body.Bytes())
		for key, values := range got.Header() {
			w.Header()[key] = values
		}
		w.WriteHeader(got.Code)
		_, _ = w.Write(body) // it can be longer than its Content-Length, or the client is gone
		if got.Header().Get("Content-Length") == "" {
			_ = http.NewResponseController(w).Flush() // so that the server does not add one
		}
	}
}

// Half sends the first half of a response with its whole Content-Length, and then does something.
func Half(then func(r *http.Request)) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		got := httptest.NewRecorder()
		next.ServeHTTP(got, r)
		for key, values := range got.Header() {
			w.Header()[key] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(got.Body.Len()))
		_, _ = w.Write(got.Body.Bytes()[:got.Body.Len()/2]) // the client is gone
		_ = http.NewResponseController(w).Flush()
		then(r)
	}
}

// Hang waits until the client is gone.
func Hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }

// Status responds with a status and headers, which are given as pairs.
func Status(code int, headers ...string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}

// Trickle sends a byte of the response from time to time.
func Trickle(w http.ResponseWriter, r *http.Request, next http.Handler) {
	got := httptest.NewRecorder()
	next.ServeHTTP(got, r)
	for key, values := range got.Header() {
		w.Header()[key] = values
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for _, b := range got.Body.Bytes() {
		_, _ = w.Write([]byte{b}) // the client is gone
		_ = http.NewResponseController(w).Flush()
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		}
	}
}
