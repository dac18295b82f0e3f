// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
)

func TestInFlight(t *testing.T) {
	t.Parallel()
	f := newInFlight(InFlight{Total: 100, Namespace: 60, Plugin: 40, Reserve: 20, Small: 10})
	one, two, other := types.NamespacedName{Namespace: "a", Name: "one"}, types.NamespacedName{Namespace: "a", Name: "two"}, types.NamespacedName{Namespace: "b", Name: "one"}
	third, small := types.NamespacedName{Namespace: "c", Name: "one"}, types.NamespacedName{Namespace: "d", Name: "one"}
	var dones []func()
	for _, step := range []struct {
		plugin types.NamespacedName
		bytes  int64
		want   bool
		why    string
	}{
		{one, 41, false, "more than one plugin may have"},
		{one, 40, true, "as much as one plugin may have"},
		{one, 1, false, "the plugin has all that it may"},
		{two, 21, false, "more than the namespace may have"},
		{two, 20, true, "the rest of the namespace's"},
		{other, 21, false, "more than the total without its reserve"},
		{other, 20, true, "all of the total but the reserve"},
		{third, 11, false, "the reserve is not for large requests"},
		{third, 10, true, "but for small ones"},
		{third, 1, false, "of which there are only so many"},
		{small, 10, true, "the reserve for another namespace"},
		{types.NamespacedName{Namespace: "e", Name: "one"}, 1, false, "the total"},
	} {
		done, ok := f.acquire(step.plugin, step.bytes)
		if ok != step.want {
			t.Fatalf("%d bytes for %s: %t, want %t: %s", step.bytes, step.plugin, ok, step.want, step.why)
		}
		if ok {
			dones = append(dones, done)
		}
	}
	for _, done := range dones {
		done()
	}
	if f.total != 0 || len(f.namespaces) != 0 || len(f.plugins) != 0 {
		t.Errorf("left after all were released: %d, %v, %v", f.total, f.namespaces, f.plugins)
	}
}

// waiting is a runner whose calls last until end is closed.
type waiting struct {
	plugin.Runner
	begun chan struct{}
	end   chan struct{}
}

func (w waiting) Call(ctx context.Context, _ plugin.Call) ([]byte, error) {
	w.begun <- struct{}{}
	select {
	case <-w.end:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// largeReview returns an AdmissionReview of about a number of bytes.
func largeReview(size int) []byte {
	const object = `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE",` +
		`"kind":{"group":"inventory.example.com","version":"v1alpha1","kind":"Item"},"resource":{"group":"inventory.example.com","version":"v1alpha1","resource":"items"},` +
		`"namespace":"shop","name":"it","userInfo":{"username":"jane"},"object":{"metadata":{"name":"it"},"spec":{"description":%q}}}}`
	return fmt.Appendf(nil, object, strings.Repeat("x", size))
}

// Many large requests are made at once for a plugin that sleeps: those above the limit are rejected before they are
// read, and another plugin's requests are answered.
func TestServer_inFlight(t *testing.T) {
	const size, count = 3 << 20, 100
	const most = (16 << 20) / size // the number of bodies that fit
	d := newDirect(t, authority{allowed: true})
	sleeper := waiting{begun: make(chan struct{}, count), end: make(chan struct{})}
	d.Set(directPlugin(sleeper, func(p *Plugin) { p.Timeout = testenv.Timeout }))
	d.Set(directPlugin(slot(t, load(t, newEngine(t), nil)), func(p *Plugin) { p.Name = types.NamespacedName{Namespace: "elsewhere", Name: "script"} }))
	server := httptest.NewServer(d.Server)
	t.Cleanup(server.Close)
	url := server.URL + PathPrefix + "validate/home/script?timeout=60s"
	body := largeReview(size)

	codes := make(chan int, count)
	var asking sync.WaitGroup
	for range count {
		asking.Go(func() {
			sent := &counting{Reader: bytes.NewReader(body)}
			code, err := post(t.Context(), url, sent, int64(len(body)))
			if err != nil {
				t.Error(err)
			}
			if code == http.StatusTooManyRequests && sent.bytes > 0 {
				t.Errorf("%d bytes of a rejected request were read", sent.bytes)
			}
			codes <- code
		})
	}
	rejected := 0
	for rejected < count-most {
		if code := <-codes; code != http.StatusTooManyRequests {
			t.Fatalf("while the plugin sleeps: status %d", code)
		}
		rejected++
	}
	for range most {
		<-sleeper.begun
	}
	d.inFlight.mu.Lock()
	if total := d.inFlight.total; total > 16<<20 || total < most*size {
		t.Errorf("%d bytes are in flight", total)
	}
	d.inFlight.mu.Unlock()
	if code, err := post(t.Context(), server.URL+PathPrefix+"validate/elsewhere/script", bytes.NewReader(largeReview(10)), -1); code != http.StatusOK || err != nil {
		t.Errorf("another plugin: status %d, %v", code, err)
	}
	close(sleeper.end)
	asking.Wait()
	for range most {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("a request that fits: status %d", code)
		}
	}
	testenv.Eventually(t, "nothing is in flight", func(context.Context) error {
		d.inFlight.mu.Lock()
		defer d.inFlight.mu.Unlock()
		if d.inFlight.total != 0 {
			return fmt.Errorf("%d bytes are", d.inFlight.total)
		}
		return nil
	})
	want := fmt.Sprintf("k1s_plugin_admission_requests_total home/script overloaded validate %d", count-most)
	if counted := d.counted(t); !slices.Contains(counted, want) {
		t.Errorf("counted %q, want %q", counted, want)
	}
}

// counting counts the bytes that are read.
type counting struct {
	io.Reader
	bytes int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes += int64(n)
	return n, err
}

// post sends a body on a connection of its own, and returns the status.
func post(ctx context.Context, url string, body io.Reader, length int64) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return 0, err
	}
	req.ContentLength = length
	// Like the API server with a large body, it waits for a moment for a response that does not need the body.
	req.Header.Set("Expect", "100-continue")
	transport := &http.Transport{ExpectContinueTimeout: testenv.Timeout}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// A body that does not arrive does not count forever.
func TestServer_slowBody(t *testing.T) {
	d := newDirect(t, authority{allowed: true})
	d.bodyTime = 50 * time.Millisecond
	d.Set(directPlugin(slot(t, load(t, newEngine(t), nil))))
	server := httptest.NewServer(d.Server)
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(testenv.Timeout)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "POST %svalidate/home/script HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{", PathPrefix); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 408 ")) {
		t.Errorf("got %q, %v", answer, err)
	}
	d.inFlight.mu.Lock()
	defer d.inFlight.mu.Unlock()
	if d.inFlight.total != 0 {
		t.Errorf("%d bytes are still in flight", d.inFlight.total)
	}
}

// With a real API server, the failure policy decides about a rejected request.
func TestServer_overloaded(t *testing.T) {
	w := newTestCluster(t)
	w.grant(t, w.shop, VerbValidate, VerbMutate)
	w.server.inFlight = newInFlight(InFlight{Plugin: 64 << 10})
	p := w.plugin(nil, func(p *Plugin) { p.Timeout = time.Second })
	w.configure(t, p)
	item := newItem(w.shop, "large")
	item.Annotations = map[string]string{"example.com/large": strings.Repeat("x", 100<<10)}
	err := w.Client.Create(t.Context(), item.DeepCopy(), client.DryRunAll)
	if !apierrors.IsInternalError(err) || !strings.Contains(err.Error(), "failed calling webhook") {
		t.Errorf("with Fail: got %v, want an error that is not the plugin's no", err)
	}
	testenv.Eventually(t, "it is reported", func(context.Context) error { // the API server may have given up before
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.failures) == 0 || !errors.Is(w.failures[0].Err, errOverloaded) {
			return fmt.Errorf("reported: %+v", w.failures)
		}
		return nil
	})
	ignoring := *p
	ignore(&ignoring)
	w.set(t, &ignoring)
	testenv.Eventually(t, "with Ignore, it goes on", func(ctx context.Context) error {
		return w.Client.Create(ctx, item.DeepCopy(), client.DryRunAll)
	})
	testenv.Eventually(t, "a small one is admitted", func(ctx context.Context) error {
		return w.Client.Create(ctx, newItem(w.shop, "small"), client.DryRunAll)
	})
}
