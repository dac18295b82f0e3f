// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/k1s-io/k1s/internal/source/oci/blobs"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/registry"
	"github.com/k1s-io/k1s/internal/testenv/registry/faults"
)

// rig is a registry with the repository "one", a proxy in front of it, and an operator with a clock.
type rig struct {
	*operator

	registry *registry.Server
	proxy    *faults.Proxy
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
	r.proxy = faults.New(t, server.Address, ro.serve)
	r.start(t, ro, t.TempDir())
	r.request = request("n", r.proxy.Address()+"/one:v1")
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
		return got.Failure // until the pull has ended, that of the previous one
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
func basic(users ...string) faults.Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		name, password, ok := r.BasicAuth()
		if !ok || len(users) > 0 && !slices.Contains(users, name+":"+password) {
			faults.Status(http.StatusUnauthorized, "WWW-Authenticate", `Basic realm="registry"`)(w, r, next)
			return
		}
		r.Header.Del("Authorization")
		next.ServeHTTP(w, r)
	}
}

// echo responds with an error of the distribution specification that has a message.
func echo(code int, message string) faults.Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"errors":[{"code":"DENIED","message":%q}]}`, message)
	}
}

func newClock() *testingclock.FakePassiveClock { return testingclock.NewFakePassiveClock(testingTime) }
