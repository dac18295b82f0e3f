// SPDX-License-Identifier: Apache-2.0

// Package faults puts a proxy in front of a registry, which breaks what the registry responds.
package faults

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Proxy forwards requests to a registry, with a fault that a test switches on.
type Proxy struct {
	*httptest.Server

	// Next receives the requests. It must not be changed after the first one.
	Next http.Handler

	mu       sync.Mutex
	fault    Fault
	requests []*http.Request
	// sent are the bytes of blobs that were passed on.
	sent int64
}

// New starts a proxy in front of a registry, or in front of nothing. configure changes the server before it starts.
func New(t *testing.T, target string, configure ...func(*httptest.Server)) *Proxy {
	t.Helper()
	p := &Proxy{}
	to := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: target})
	to.ErrorLog = log.New(io.Discard, "", 0)
	p.Next = to
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(p.serve))
	p.Config.ErrorLog = to.ErrorLog
	start := p.Start
	for _, f := range configure {
		f(p.Server)
		if p.TLS != nil {
			start = p.StartTLS
		}
	}
	start()
	t.Cleanup(func() {
		p.CloseClientConnections() // those of requests that hang
		p.Close()
	})
	return p
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	f := p.fault
	p.requests = append(p.requests, r)
	p.mu.Unlock()
	if strings.Contains(r.URL.Path, "/blobs/") {
		w = &meteredWriter{ResponseWriter: w, proxy: p}
	}
	if f == nil {
		p.Next.ServeHTTP(w, r)
		return
	}
	f(w, r, p.Next)
}

// meteredWriter counts the bytes of a response.
type meteredWriter struct {
	http.ResponseWriter

	proxy *Proxy
}

// Write implements io.Writer.
func (w *meteredWriter) Write(p []byte) (int, error) {
	w.proxy.mu.Lock()
	w.proxy.sent += int64(len(p))
	w.proxy.mu.Unlock()
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *meteredWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Address is the registry of references.
func (p *Proxy) Address() string { return p.Listener.Addr().String() }

// Set switches a fault on, or off if it is nil.
func (p *Proxy) Set(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// Count returns how many requests with a method and a part of the path there were. An empty method counts all.
func (p *Proxy) Count(method, part string) int {
	n := 0
	for _, r := range p.Requests() {
		if (method == "" || r.Method == method) && strings.Contains(r.URL.Path, part) {
			n++
		}
	}
	return n
}

// Requests returns all requests so far.
func (p *Proxy) Requests() []*http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// BlobBytes returns how many bytes of blobs were sent.
func (p *Proxy) BlobBytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent
}
