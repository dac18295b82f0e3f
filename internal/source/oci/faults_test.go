// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"k8s.io/utils/clock"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/oci/dockerconfig"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/registry"
	"github.com/k1s-io/k1s/internal/testenv/registry/faults"
)

// dial connects to every address.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// TestSource_faults breaks responses of a registry: nothing partial is used, and the next attempt succeeds.
func TestSource_faults(t *testing.T) {
	t.Parallel()
	const blobs, manifests = "/blobs/", "/manifests/"
	abort := func(*http.Request) { panic(http.ErrAbortHandler) }
	length := func(by int) func(h http.Header, body []byte) []byte {
		return func(h http.Header, body []byte) []byte {
			n, _ := strconv.Atoi(h.Get("Content-Length"))
			h.Set("Content-Length", strconv.Itoa(n+by))
			return append(body, make([]byte, max(by, 0))...)
		}
	}
	chunked := func(edit func([]byte) []byte) func(h http.Header, body []byte) []byte {
		return func(h http.Header, body []byte) []byte {
			h.Del("Content-Length")
			return edit(body)
		}
	}
	header := func(name, value string) func(h http.Header, body []byte) []byte {
		return func(h http.Header, body []byte) []byte {
			h.Set(name, value)
			return body
		}
	}
	other := digest.FromString("something else").String()
	const (
		unavailable, corrupt = pluginsv1alpha1.ReasonRegistryUnavailable, pluginsv1alpha1.ReasonArtifactCorrupt
		late, differs        = "does not answer in time", "something else than its digest and size describe"
		failed, broke, slow  = "cannot be reached, or failed", "the connection to the registry broke", "sends too slowly"
	)
	for name, tc := range map[string]struct {
		fault           faults.Fault
		reason, message string
	}{
		"hangs before the headers of the manifest": {faults.On("HEAD", manifests, faults.Hang), unavailable, late},
		"hangs before the headers of the blob":     {faults.On("GET", blobs, faults.Hang), unavailable, late},
		"hangs in the middle of the blob":          {faults.On("GET", blobs, faults.Half(func(r *http.Request) { <-r.Context().Done() })), unavailable, slow},
		"hangs in the middle of the manifest":      {faults.On("GET", manifests, faults.Half(func(r *http.Request) { <-r.Context().Done() })), unavailable, slow},
		"closes the connection before the headers": {func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }, unavailable, failed},
		"closes the connection in the blob":        {faults.On("GET", blobs, faults.Half(abort)), unavailable, broke},
		"closes the connection in the manifest":    {faults.On("GET", manifests, faults.Half(abort)), unavailable, broke},
		"sends the blob slowly":                    {faults.On("GET", blobs, faults.Trickle), unavailable, slow},
		"shorter blob":                             {faults.On("GET", blobs, faults.Edited(chunked(func(b []byte) []byte { return b[:len(b)/2] }))), corrupt, differs},
		"longer blob":                              {faults.On("GET", blobs, faults.Edited(chunked(func(b []byte) []byte { return append(b, 0) }))), corrupt, differs},
		"empty blob":                               {faults.On("GET", blobs, faults.Edited(chunked(func([]byte) []byte { return nil }))), corrupt, differs},
		"blob of a larger Content-Length":          {faults.On("GET", blobs, faults.Edited(length(1))), corrupt, differs},
		"blob of a smaller Content-Length":         {faults.On("GET", blobs, faults.Edited(length(-1))), corrupt, differs},
		"flipped bytes in the blob": {faults.On("GET", blobs, faults.Edited(func(_ http.Header, b []byte) []byte {
			b[len(b)/2] ^= 1
			return b
		})), corrupt, differs},
		"flipped bytes in the manifest": {faults.On("GET", manifests, faults.Edited(func(_ http.Header, b []byte) []byte {
			b[len(b)/2] ^= 1
			return b
		})), corrupt, differs},
		"blob with another digest in its header":     {faults.On("GET", blobs, faults.Edited(header("Docker-Content-Digest", other))), corrupt, differs},
		"manifest with another digest in its header": {faults.On("GET", manifests, faults.Edited(header("Docker-Content-Digest", other))), corrupt, differs},
		"manifest with another type": {
			faults.On("GET", manifests, faults.Edited(header("Content-Type", ocispec.MediaTypeImageIndex))), corrupt, differs,
		},
		"tag with the digest of something else": {func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			r.URL.Path = strings.Replace(r.URL.Path, other, "v1", 1)
			if strings.Contains(r.URL.Path, manifests) {
				faults.Edited(header("Docker-Content-Digest", other))(w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		}, corrupt, differs},
		"tag with a digest that the registry does not have": {
			faults.On("HEAD", manifests, faults.Edited(header("Docker-Content-Digest", other))), pluginsv1alpha1.ReasonArtifactNotFound, "does not have it",
		},
		"tag with a SHA-512": {
			faults.On("HEAD", manifests, faults.Edited(header("Docker-Content-Digest", digest.SHA512.FromString("x").String()))),
			pluginsv1alpha1.ReasonInvalidManifest, "SHA-256",
		},
		"tag with another size": {faults.On("HEAD", manifests, faults.Edited(length(1))), corrupt, differs},
		"tag with a huge size":  {faults.On("HEAD", manifests, faults.Edited(length(1<<40))), pluginsv1alpha1.ReasonInvalidManifest, "more than the"},
		"page of a login": {faults.Edited(func(h http.Header, b []byte) []byte {
			h.Del("Docker-Content-Digest")
			h.Set("Content-Type", "text/html")
			return b
		}), unavailable, failed},
		"500":     {faults.Status(http.StatusInternalServerError), unavailable, failed},
		"429":     {faults.Status(http.StatusTooManyRequests), unavailable, "limits the rate"},
		"404":     {faults.Status(http.StatusNotFound), pluginsv1alpha1.ReasonArtifactNotFound, "does not have it"},
		"no blob": {faults.On("GET", blobs, faults.Status(http.StatusNotFound)), pluginsv1alpha1.ReasonArtifactNotFound, "does not have it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rigOptions{timeouts: timeouts{header: time.Second, stall: time.Second, metadata: 2 * time.Second, blob: 20 * time.Second}})
			if strings.Contains(name, "huge") {
				tc.fault = faults.On("HEAD", manifests, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
					w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
					w.Header().Set("Docker-Content-Digest", other)
					w.Header().Set("Content-Length", strconv.Itoa(1<<40))
				})
			}
			r.proxy.Set(tc.fault)
			r.reject(t, r.request, tc.reason, tc.message)
			r.checkCache(t)
			r.proxy.Set(nil)
			r.recovers(t, r.request)
		})
	}
}

// TestSource_sizes shows that what exceeds a limit is rejected before its download.
func TestSource_sizes(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	large := (*registry.Server).PushLayers
	large(r.registry, t, "large", "layer", ocispec.Descriptor{MediaType: "application/wasm"}, wasm(strings.Repeat("x", 2*maxBytes+1)))
	large(r.registry, t, "large", "manifest", ocispec.Descriptor{
		MediaType: "application/wasm", Annotations: map[string]string{"a": strings.Repeat("x", 2<<20)},
	}, r.module)
	r.reject(t, request("a", r.proxy.Address()+"/large:layer"), pluginsv1alpha1.ReasonModuleTooLarge, "was not downloaded")
	r.reject(t, request("b", r.proxy.Address()+"/large:manifest"), pluginsv1alpha1.ReasonInvalidManifest, "more than the")
	if n, gets := r.proxy.BlobBytes(), r.proxy.Count("GET", "/manifests/"); n != 0 || gets != 1 {
		t.Errorf("%d bytes of blobs and %d manifests were downloaded", n, gets)
	}
}

// TestSource_movedTag moves a tag between the requests of a pull: the module is that of the digest.
func TestSource_movedTag(t *testing.T) {
	t.Parallel()
	for _, between := range []string{"/manifests/", "/blobs/"} {
		t.Run(between, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rigOptions{})
			first := r.registry.Push(t, "one", "latest", r.module)
			var once sync.Once
			var second digest.Digest
			r.proxy.Set(faults.On("GET", between, func(w http.ResponseWriter, req *http.Request, next http.Handler) {
				once.Do(func() { second = r.registry.Push(t, "one", "latest", wasm("another")) })
				next.ServeHTTP(w, req)
			}))
			req := request("n", r.proxy.Address()+"/one:latest")
			if got := r.recovers(t, req); got.Digest != first {
				t.Errorf("got %s, want %s", got.Digest, first)
			}
			r.clock.SetTime(r.clock.Now().Add(2 * defaultPoll))
			if got := r.expect(t, req, wasm("another")); got.Digest != second {
				t.Errorf("after the poll: got %s, want %s", got.Digest, second)
			}
		})
	}
}

// TestSource_sharedPull shows that what plugins of several namespaces want at once is downloaded once, and that each
// namespace proves its permission.
func TestSource_sharedPull(t *testing.T) {
	t.Parallel()
	const namespaces, plugins = 5, 4
	r := newRig(t, rigOptions{})
	arrived := make(chan struct{})
	var mu sync.Mutex
	users := map[string]bool{}
	proofs := map[string]int{}
	r.proxy.Set(func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		name, _, _ := req.BasicAuth()
		mu.Lock()
		if name != "" && !users[name] {
			if users[name] = true; len(users) == namespaces {
				close(arrived)
			}
		}
		if name != "" && req.Method == http.MethodHead && strings.Contains(req.URL.Path, "/blobs/") {
			proofs[name]++
		}
		mu.Unlock()
		if req.Method == http.MethodGet && name != "" {
			select { // the first download lasts until all namespaces have begun
			case <-arrived:
			case <-req.Context().Done():
			}
		}
		basic()(w, req, next)
	})
	var all []Request
	for n := range namespaces {
		for p := range plugins {
			req := request(fmt.Sprint("n", n), r.proxy.Address()+"/one:v1", as(r.proxy.Address(), fmt.Sprintf("user%d:secret", n)))
			req.Plugin.Name = fmt.Sprint("p", p)
			all = append(all, req)
			_, _ = r.Fetch(t.Context(), req) // it starts the pull
		}
	}
	for _, req := range all {
		r.recovers(t, req)
	}
	if blobs, manifests := r.proxy.Count("GET", "/blobs/"), r.proxy.Count("GET", "/manifests/"); blobs != 1 || manifests != 1 || r.proxy.BlobBytes() != int64(len(r.module)) {
		t.Errorf("%d blobs of %d bytes and %d manifests were downloaded, want 1 each", blobs, r.proxy.BlobBytes(), manifests)
	}
	if len(proofs) != namespaces-1 {
		t.Errorf("got the proofs %v, want one of each other namespace", proofs)
	}
	for name, n := range proofs {
		if n != 1 {
			t.Errorf("%s proved its permission %d times", name, n)
		}
	}
}

// TestSource_queue shows that the time a plugin waits for others of its namespace is not part of its pull's timeout.
func TestSource_queue(t *testing.T) {
	t.Parallel()
	const timeout = 2 * time.Second
	r := newRig(t, rigOptions{timeouts: timeouts{pull: timeout}})
	leave, err := r.slots.acquire(t.Context(), pullKey{"n", r.proxy.Address(), "one"}) // the pull of another plugin
	if err != nil {
		t.Fatal(err)
	}
	_, _ = r.Fetch(t.Context(), r.request) // it starts the pull
	testenv.Consistently(t, "the pull waits", timeout+timeout/4, func(ctx context.Context) error {
		_, err := r.Fetch(ctx, r.request)
		if n := r.proxy.Count("", ""); n > 0 || problemOf(err, Reference{}, 1, dockerconfig.Keyring{}).Reason != pluginsv1alpha1.ReasonPulling {
			return fmt.Errorf("after %d requests, got %w", n, err)
		}
		return nil
	})
	leave()
	r.expect(t, r.request, r.module) // the clock does not move, so a second attempt is never due

	t.Log("a pull that runs ends after its timeout")
	r.proxy.Set(faults.Hang)
	hanging := r.request
	hanging.Plugin.Namespace = "other"
	r.reject(t, hanging, pluginsv1alpha1.ReasonRegistryUnavailable, "in time")
}

// TestSource_killedRegistry kills the registry in the middle of a blob.
func TestSource_killedRegistry(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	r.proxy.Set(faults.On("GET", "/blobs/", faults.Half(func(*http.Request) {
		r.registry.Kill()
		panic(http.ErrAbortHandler)
	})))
	r.reject(t, r.request, pluginsv1alpha1.ReasonRegistryUnavailable)
	r.checkCache(t)
	r.proxy.Set(nil)
	r.registry.Run(t)
	r.recovers(t, r.request)
}

// TestSource_stopped ends the operator in the middle of a blob.
func TestSource_stopped(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	sent := make(chan struct{}, 1)
	r.proxy.Set(faults.On("GET", "/blobs/", faults.Half(func(req *http.Request) {
		sent <- struct{}{}
		<-req.Context().Done()
	})))
	_, _ = r.Fetch(t.Context(), r.request) // it starts the pull
	select {
	case <-sent:
	case <-time.After(testenv.Timeout):
		t.Fatal("the download did not begin")
	}
	r.end()
	r.checkCache(t)
	r.proxy.Set(nil)
	left := filepath.Join(r.dir, "oci-blobs-1", "new-1")
	if err := os.WriteFile(left, r.module[:100], 0o600); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(left, past, past); err != nil {
		t.Fatal(err)
	}
	r.start(t, rigOptions{}, r.dir)
	if _, err := os.Stat(left); err == nil {
		t.Error("the temporary file of the previous process is still there")
	}
	r.recovers(t, r.request)
}

// TestSource_fullCache shows that a cache which does not keep what is pulled is reported, and not filled in a loop.
func TestSource_fullCache(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{grown: func(dir string) {
		files, _ := filepath.Glob(filepath.Join(dir, "oci-blobs-1", "*"))
		for _, file := range files {
			_ = os.Remove(file) // another pull may have removed it
		}
	}})
	most, least := attemptsIn(time.Hour, 1), attemptsIn(time.Hour, 1.1)
	n := r.hour(t, r.request, pluginsv1alpha1.ReasonSourceUnavailable, "--max-cache-bytes")
	if n < least || n > most {
		t.Errorf("got %d attempts in an hour, want %d to %d", n, least, most)
	}
}

// TestSource_unwritableCache shows that the cache is named if it cannot be written, not the registry.
func TestSource_unwritableCache(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	path := filepath.Join(r.dir, "oci-blobs-1")
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	r.reject(t, r.request, pluginsv1alpha1.ReasonSourceUnavailable, "--cache-dir")
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	r.recovers(t, r.request)
}

// slowClock is a clock that waits for a gate, if there is one.
type slowClock struct {
	clock.PassiveClock

	gate atomic.Pointer[chan struct{}]
}

// Now implements clock.PassiveClock.
func (c *slowClock) Now() time.Time {
	if gate := c.gate.Load(); gate != nil {
		<-*gate
	}
	return c.PassiveClock.Now()
}

// Since implements clock.PassiveClock.
func (c *slowClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// TestSource_forgotten shows that the source ends only after the pulls of plugins that were forgotten.
func TestSource_forgotten(t *testing.T) {
	t.Parallel()
	slow := &slowClock{PassiveClock: newClock()}
	r := newRig(t, rigOptions{options: func(o *Options) { o.Clock = slow }})
	r.proxy.Set(faults.Hang)
	_, _ = r.Fetch(t.Context(), r.request) // it starts the pull
	testenv.Eventually(t, "the pull begins", func(context.Context) error {
		if r.proxy.Count("", "") == 0 {
			return errors.New("it has not begun")
		}
		return nil
	})
	gate := make(chan struct{})
	slow.gate.Store(&gate)
	r.Forget(r.request.Plugin)
	ended := make(chan struct{})
	go func() {
		r.end()
		close(ended)
	}()
	testenv.Consistently(t, "the source waits", 300*time.Millisecond, func(context.Context) error {
		select {
		case <-ended:
			return errors.New("it ended while a pull ran")
		default:
			return nil
		}
	})
	close(gate)
	<-ended
}
