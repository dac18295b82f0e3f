// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/registry/faults"
)

// hanging is a fault that hangs, and counts the requests that do.
type hanging struct{ pending atomic.Int32 }

func (h *hanging) fault(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	h.pending.Add(1)
	defer h.pending.Add(-1)
	<-r.Context().Done()
}

// expect waits until a number of requests hang.
func (h *hanging) expect(t *testing.T, want int32) {
	t.Helper()
	testenv.Eventually(t, "requests hang", func(context.Context) error {
		if got := h.pending.Load(); got != want {
			return fmt.Errorf("got %d, want %d", got, want)
		}
		return nil
	})
}

// still reports an error unless as many requests hang.
func (h *hanging) still(t *testing.T, want int32) {
	t.Helper()
	if got := h.pending.Load(); got != want {
		t.Errorf("the module was pulled only after others had ended: %d faults.Hang, want %d", got, want)
	}
}

// TestSource_slowForeignRegistry shows that a registry which sends a blob slowly delays nobody who pulls the same digest
// from another one.
func TestSource_slowForeignRegistry(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	slow := faults.New(t, r.registry.Address)
	var h hanging
	slow.Set(faults.On("GET", "/blobs/", h.fault))
	_, _ = r.Fetch(t.Context(), request("slow", slow.Address()+"/one:v1")) // it starts the pull
	h.expect(t, 1)
	r.expect(t, r.request, r.module)
	h.still(t, 1)
}

// TestSource_slowForeignUser shows that a registry which sends a blob slowly to one namespace delays nobody else who
// pulls from the same repository for long.
func TestSource_slowForeignUser(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{timeouts: timeouts{share: 100 * time.Millisecond}})
	var h hanging
	r.proxy.Set(func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		if name, _, _ := req.BasicAuth(); name == "slow" && req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/blobs/") {
			h.fault(w, req, next)
			return
		}
		basic()(w, req, next)
	})
	for _, name := range []string{"slow", "fast"} {
		req := request(name, r.proxy.Address()+"/one:v1", as(r.proxy.Address(), name+":secret"))
		_, _ = r.Fetch(t.Context(), req) // it starts the pull
		if name == "slow" {
			h.expect(t, 1)
			continue
		}
		r.expect(t, req, r.module)
	}
	h.still(t, 1)
}

// TestSource_hangingRegistry shows that a registry which hangs delays no plugin of the same namespace that pulls from
// another one, however many plugins pull from the first one.
func TestSource_hangingRegistry(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{timeouts: timeouts{metadata: 10 * time.Second}})
	slow := faults.New(t, r.registry.Address)
	var h hanging
	slow.Set(h.fault)
	for i := range 3 * maxNamespacePulls {
		req := request("n", fmt.Sprintf("%s/plugin%d:v1", slow.Address(), i))
		req.Plugin.Name = fmt.Sprint("hanging", i)
		_, _ = r.Fetch(t.Context(), req) // it starts the pull
	}
	h.expect(t, maxRegistryPulls)
	r.expect(t, r.request, r.module)
	h.still(t, maxRegistryPulls)
}

// TestSource_slowNamespaces shows that what namespaces download slowly delays no others: not even a large module, while
// only one namespace is slow, and no module of the usual size, while all memory for large ones is occupied.
func TestSource_slowNamespaces(t *testing.T) {
	t.Parallel()
	const large = smallBytes + 1<<10
	r := newRig(t, rigOptions{options: func(o *Options) { o.MaxBytes = large }})
	slow := faults.New(t, r.registry.Address)
	var h hanging
	slow.Set(faults.On("GET", "/blobs/", h.fault))
	start := func(namespace string) {
		t.Helper()
		for i := range memoryFactor { // of two repositories, because pulls from the same one follow each other
			repository := fmt.Sprint(namespace, i)
			r.registry.Push(t, repository, "v1", wasm(strings.Repeat(repository, large)[:large-8]))
			req := request(namespace, slow.Address()+"/"+repository+":v1")
			req.Plugin.Name = repository
			_, _ = r.Fetch(t.Context(), req) // it starts the pull
		}
	}
	module := wasm(strings.Repeat("large", large)[:large-8])
	r.registry.Push(t, "large", "v1", module)

	start("first")
	h.expect(t, 1)
	testenv.Eventually(t, "the other pull waits", func(context.Context) error {
		if slow.Count("GET", "/manifests/") < memoryFactor {
			return errors.New("it has not begun")
		}
		return nil
	})
	r.expect(t, request("n", r.proxy.Address()+"/large:v1"), module)
	h.still(t, 1)

	start("second")
	h.expect(t, memoryFactor)
	r.expect(t, r.request, r.module)
	h.still(t, memoryFactor)
}
