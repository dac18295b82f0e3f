// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/k1s-io/k1s/internal/source/oci/blobs"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/registry"
)

// fault changes what a registry responds. It forwards the request to next or responds itself.
type fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// proxy forwards requests to a registry, with a fault that a test switches on.
type proxy struct {
	*httptest.Server

	forward http.Handler

	mu       sync.Mutex
	fault    fault
	requests []*http.Request
	// sent are the bytes of blobs that were passed on.
	sent int64
}

// newProxy starts a proxy in front of a registry, or in front of nothing. configure changes the server before it starts.
func newProxy(t *testing.T, target string, configure ...func(*httptest.Server)) *proxy {
	t.Helper()
	p := &proxy{}
	to := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: target})
	to.ErrorLog = log.New(io.Discard, "", 0)
	p.forward = to
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

func (p *proxy) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	f := p.fault
	p.requests = append(p.requests, r)
	p.mu.Unlock()
	if strings.Contains(r.URL.Path, "/blobs/") {
		w = &meteredWriter{ResponseWriter: w, proxy: p}
	}
	if f == nil {
		p.forward.ServeHTTP(w, r)
		return
	}
	f(w, r, p.forward)
}

// meteredWriter counts the bytes of a response.
type meteredWriter struct {
	http.ResponseWriter

	proxy *proxy
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

// address is the registry of references.
func (p *proxy) address() string { return p.Listener.Addr().String() }

// set switches a fault on, or off if it is nil.
func (p *proxy) set(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// count returns how many requests with a method and a part of the path there were. An empty method counts all.
func (p *proxy) count(method, part string) int {
	n := 0
	for _, r := range p.all() {
		if (method == "" || r.Method == method) && strings.Contains(r.URL.Path, part) {
			n++
		}
	}
	return n
}

func (p *proxy) all() []*http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

func (p *proxy) blobBytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent
}

// on restricts a fault to the requests with a method and a part of the path.
func on(method, part string, f fault) fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == method && strings.Contains(r.URL.Path, part) {
			f(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	}
}

// edited passes the registry's response on with changes. A Content-Length is only sent if edit leaves one.
func edited(edit func(h http.Header, body []byte) []byte) fault {
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

// half sends the first half of a response with its whole Content-Length, and then does something.
func half(then func(r *http.Request)) fault {
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

// trickle sends a byte of the response from time to time.
func trickle(w http.ResponseWriter, r *http.Request, next http.Handler) {
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

// hang waits until the client is gone.
func hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }

// status responds with a status and headers, which are given as pairs.
func status(code int, headers ...string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}

// rig is a registry with the repository "one", a proxy in front of it, and an operator with a clock.
type rig struct {
	*operator

	registry *registry.Server
	proxy    *proxy
	clock    *testingclock.FakePassiveClock
	module   []byte
	// request is that of a plugin that pulls one:v1 through the proxy.
	request Request
	// changes receives the plugins of which OnChange's function was notified.
	changes chan types.NamespacedName
}

// rigOptions change what newRig starts.
type rigOptions struct {
	registry registry.Options
	serve    func(*httptest.Server)
	options  func(*Options)
	grown    func(dir string)
	timeouts timeouts
}

func newRig(t *testing.T, ro rigOptions) *rig {
	t.Helper()
	server := registry.Start(t, ro.registry)
	r := &rig{
		registry: server, clock: testingclock.NewFakePassiveClock(testingTime), module: wasm(strings.Repeat("module ", 10_000)),
		changes: make(chan types.NamespacedName, 10_000),
	}
	server.Push(t, "one", "v1", r.module)
	if ro.serve == nil {
		ro.serve = func(*httptest.Server) {}
	}
	r.proxy = newProxy(t, server.Address, ro.serve)
	r.start(t, ro, t.TempDir())
	r.request = request("n", r.proxy.address()+"/one:v1")
	return r
}

// start starts the operator with a cache directory.
func (r *rig) start(t *testing.T, ro rigOptions, dir string) {
	t.Helper()
	cache, err := blobs.Open(dir, func() {
		if ro.grown != nil {
			ro.grown(dir)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Registries: Registries{Dial: dial, timeouts: ro.timeouts}, Cache: cache, MaxBytes: maxBytes, Clock: r.clock}
	o.Registries.timeouts.minWait, o.Registries.timeouts.maxWait = time.Millisecond, 2*time.Millisecond
	if ro.options != nil {
		ro.options(&o)
	}
	s := New(o)
	s.OnChange(func(name types.NamespacedName) { r.changes <- name })
	r.operator = &operator{Source: s, dir: dir, end: testenv.Background(t, s.Start)}
	testenv.Eventually(t, "the source starts", func(context.Context) error {
		if s.base() == nil {
			return errors.New("it has not started")
		}
		return nil
	})
}

// recovers fetches until there is the module without a failure, and makes each retry due.
func (r *rig) recovers(t *testing.T, req Request) Result {
	t.Helper()
	var got Result
	testenv.Eventually(t, "the module is pulled after the fault", func(ctx context.Context) (err error) {
		if got, err = r.Fetch(ctx, req); err != nil {
			r.clock.SetTime(r.clock.Now().Add(got.Again))
			return err
		}
		if !bytes.Equal(got.Module.Bytes, r.module) {
			t.Fatalf("got a module of %d bytes, want %d", len(got.Module.Bytes), len(r.module))
		}
		return got.Failure // until the pull has ended, that of the one before
	})
	return got
}

// attempt makes one attempt of a pull that fails, and returns the delay before the next one with the error.
func (r *rig) attempt(t *testing.T, req Request) (time.Duration, error) {
	t.Helper()
	_, _ = r.Fetch(t.Context(), req) // it starts the pull
	select {
	case <-r.changes:
	case <-time.After(testenv.Timeout):
		t.Fatal("the attempt did not end")
	}
	got, err := r.Fetch(t.Context(), req)
	return got.Again, err
}

// checkCache reports files of the cache that are not whole, and the module if it is there.
func (r *rig) checkCache(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(r.dir, "oci-blobs-1", "*"))
	if err != nil {
		t.Fatal(err)
	}
	module := sha256.Sum256(r.module)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		if name := filepath.Base(file); name != hex.EncodeToString(sum[:]) || sum == module {
			t.Errorf("the cache has the file %s with %d bytes", name, len(content))
		}
	}
}

// basic challenges requests without one of the users, which are USER:PASSWORD; no users let everybody in who has a name.
func basic(users ...string) fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		name, password, ok := r.BasicAuth()
		if !ok || len(users) > 0 && !slices.Contains(users, name+":"+password) {
			status(http.StatusUnauthorized, "WWW-Authenticate", `Basic realm="registry"`)(w, r, next)
			return
		}
		r.Header.Del("Authorization")
		next.ServeHTTP(w, r)
	}
}

// echo responds with an error of the distribution specification that has a message.
func echo(code int, message string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"errors":[{"code":"DENIED","message":%q}]}`, message)
	}
}

func newClock() *testingclock.FakePassiveClock { return testingclock.NewFakePassiveClock(testingTime) }
