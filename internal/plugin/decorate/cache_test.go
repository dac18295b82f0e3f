// SPDX-License-Identifier: Apache-2.0

package decorate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// lookupCounter counts lookups.
type lookupCounter struct {
	mu           sync.Mutex
	hits, misses int
}

func (l *lookupCounter) count(hit bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if hit {
		l.hits++
	} else {
		l.misses++
	}
}

// echo returns a guest that replies with the export and the input.
func echo() *guest {
	return &guest{answer: func(_ context.Context, call plugin.Call) ([]byte, error) {
		return []byte(call.Export + " " + string(call.Input)), nil
	}}
}

func TestResultCache_exports(t *testing.T) {
	t.Parallel()
	for export, kept := range map[string]bool{
		abi.ExportValidateCreate: true, abi.ExportValidateUpdate: true, abi.ExportSetDefaults: true,
		abi.ExportReconcile: false, abi.ExportReconcileBatch: false, abi.ExportHealth: false, "validate_delete": false,
	} {
		t.Run(export, func(t *testing.T) {
			t.Parallel()
			g, l := echo(), &lookupCounter{}
			c := newResultCache(g, 10, 1000, l.count)
			for range 3 {
				got, err := c.Call(t.Context(), plugin.Call{Export: export, Input: []byte("one")})
				if want := export + " one"; err != nil || string(got) != want {
					t.Fatalf("got %q, %v, want %q", got, err, want)
				}
				for i := range got {
					got[i] = 'x' // the caller may change it
				}
			}
			if kept && (g.calls.Load() != 1 || l.hits != 2 || l.misses != 1) {
				t.Errorf("%d calls, %d hits, %d misses", g.calls.Load(), l.hits, l.misses)
			}
			if !kept && (g.calls.Load() != 3 || l.hits+l.misses != 0) {
				t.Errorf("%d calls, %d hits, %d misses", g.calls.Load(), l.hits, l.misses)
			}
		})
	}
}

// Only calls with an equal export and an equal input share a result.
func TestResultCache_key(t *testing.T) {
	t.Parallel()
	g := echo()
	c := newResultCache(g, 10, 1000, func(bool) {})
	calls := []plugin.Call{
		{Export: abi.ExportValidateCreate, Input: []byte("one")},
		{Export: abi.ExportValidateUpdate, Input: []byte("one")},
		{Export: abi.ExportValidateCreate, Input: []byte("two")},
		{Export: abi.ExportValidateCreate},
	}
	for range 2 {
		for _, call := range calls {
			if got, err := c.Call(t.Context(), call); err != nil || string(got) != call.Export+" "+string(call.Input) {
				t.Errorf("%s %q: got %q, %v", call.Export, call.Input, got, err)
			}
		}
	}
	g.expectCalls(t, int32(len(calls)))
}

func TestResultCache_errors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		kept bool
	}{
		"a denial":         {guestError(metav1.StatusReasonInvalid), true},
		"another answer":   {guestError(metav1.StatusReasonConflict), false},
		"without a reason": {guestError(""), false},
		"a trap":           {failure(plugin.KindTrap), false},
		"no revision":      {plugin.ErrNoRevision, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &guest{answer: func(context.Context, plugin.Call) ([]byte, error) { return nil, tt.err }}
			c := newResultCache(g, 10, 10_000, func(bool) {})
			for range 3 {
				if _, err := c.Call(t.Context(), plugin.Call{Export: abi.ExportValidateCreate}); !errors.Is(err, tt.err) {
					t.Errorf("got %v, want %v", err, tt.err)
				}
			}
			want := int32(3)
			if tt.kept {
				want = 1
			}
			g.expectCalls(t, want)
		})
	}
}

// A cached reply that this caller does not accept is requested again.
func TestResultCache_accept(t *testing.T) {
	t.Parallel()
	g := echo()
	c := newResultCache(g, 10, 1000, func(bool) {})
	call := plugin.Call{Export: abi.ExportSetDefaults, Input: []byte("one")}
	accepted := 0
	call.Accept = func(reply []byte) error {
		accepted++
		if string(reply) != "set_defaults one" {
			t.Errorf("asked about %q", reply)
		}
		return nil
	}
	for range 2 {
		if _, err := c.Call(t.Context(), call); err != nil {
			t.Fatal(err)
		}
	}
	g.expectCalls(t, 1)
	if accepted != 1 {
		t.Errorf("a known answer was shown to the caller %d times", accepted)
	}
	call.Accept = func([]byte) error { return errors.New("not this one") }
	if _, err := c.Call(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	g.expectCalls(t, 2)
}

func TestResultCache_bounds(t *testing.T) {
	t.Parallel()
	const room = 10 // replies
	g := &guest{answer: func(context.Context, plugin.Call) ([]byte, error) { return make([]byte, 100), nil }}
	ask := func(c *resultCache, i int) {
		t.Helper()
		if _, err := c.Call(t.Context(), plugin.Call{Export: abi.ExportValidateCreate, Input: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	size := len(cacheKey{}) + 100
	for name, c := range map[string]*resultCache{
		"entries": newResultCache(g, room, 1<<30, func(bool) {}),
		"bytes":   newResultCache(g, 1<<30, room*size+size/2, func(bool) {}),
	} {
		g.calls.Store(0)
		for i := range 50 {
			ask(c, i)
			ask(c, 0) // used all the time
		}
		g.expectCalls(t, 50)
		for i := 50 - room + 1; i < 50; i++ {
			ask(c, i)
		}
		g.expectCalls(t, 50)
		ask(c, 1)
		g.expectCalls(t, 51)
		if c.known.Len() != room || c.bytes != room*size {
			t.Errorf("%s: %d answers of %d bytes, want %d of %d", name, c.known.Len(), c.bytes, room, room*size)
		}
	}
	small := newResultCache(g, room, size-1, func(bool) {})
	ask(small, 1)
	if small.known.Len() != 0 || small.bytes != 0 {
		t.Errorf("an answer larger than the whole cache is kept")
	}
}

func TestResultCache_concurrent(t *testing.T) {
	t.Parallel()
	g := echo()
	c := newResultCache(g, 8, 400, func(bool) {})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 500 {
				input := fmt.Append(nil, i%20)
				got, err := c.Call(t.Context(), plugin.Call{Export: abi.ExportValidateCreate, Input: input})
				if want := "validate_create " + string(input); err != nil || string(got) != want {
					t.Errorf("got %q, %v, want %q", got, err, want)
				}
			}
		})
	}
	wg.Wait()
	if c.bytes > 400 || c.bytes <= 0 {
		t.Errorf("%d bytes are kept, more than 400", c.bytes)
	}
}
