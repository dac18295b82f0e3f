// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
)

// measurements records the metrics of the engine.
type measurements struct {
	plugin.NoEngineMetrics
	mu                sync.Mutex
	fuel              []uint64
	instances, memory int64
	how               map[string]int
}

func (m *measurements) Fuel(_, _ string, n uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fuel = append(m.fuel, n)
}

func (m *measurements) Instances(_ string, delta int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.instances += int64(delta)
}

func (m *measurements) Memory(_ string, delta int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.memory += delta
}

func (m *measurements) Instantiated(_, how string, _ time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.how == nil {
		m.how = map[string]int{}
	}
	m.how[how]++
}

func measured(m *measurements) func(*Options) { return func(o *Options) { o.Metrics = m } }

// TestRunner_Call_fuel verifies that a call that exceeds its fuel fails long before its timeout, and that the next call
// has its own fuel.
func TestRunner_Call_fuel(t *testing.T) {
	t.Parallel()
	var m measurements
	e, _ := newEngine(t, measured(&m))
	const limit = 50_000_000 // many slices
	r := load(t, e, "modes", func(req *plugin.LoadRequest) { req.Limits.Fuel = limit })
	for range 2 {
		_, err := mode(t.Context(), r, 'g') // an endless loop
		if plugin.KindOf(err) != plugin.KindFuel || !strings.Contains(err.Error(), "more than the 50000000 instructions of spec.runtime.fuel") {
			t.Fatalf("got %v, want that its fuel is used up", err)
		}
	}
	for _, used := range m.fuel {
		if used < limit || used > limit+limit/10 {
			t.Errorf("the call is said to have run %d instructions, want about %d", used, limit)
		}
	}
	if got := calls(t, r); got != 1 {
		t.Errorf("call %d of its instance, want a new one", got)
	}
}

// TestTank_isLong verifies that a call is long after it has run for a slice, however often it has yielded before.
// Neither the duration of earlier calls nor the time that the call waits counts.
func TestTank_isLong(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	r := load(t, e, "modes")
	in := r.(*runner).pool.unused[0].in
	more := func(since time.Time) bool {
		in.tank.since = since
		if _, err := in.tank.more(0); err != nil {
			t.Fatal(err)
		}
		return in.tank.isLong()
	}
	in.tank.fill(0, time.Now())
	if in.tank.isLong() || more(time.Now().Add(time.Minute)) || !more(time.Now().Add(-2*time.Minute)) {
		t.Error("a call is not long when its slices have taken a minute")
	}
	in.tank.fill(0, time.Now())
	if in.tank.isLong() {
		t.Error("the next call is long from the start")
	}
	began := in.tank.since
	in.without(t.Context(), func() {
		waits := time.Now()
		eventually(t, "time passes", func() bool { return time.Since(waits) > slice })
	})
	if waited := in.tank.since.Sub(began); waited < slice {
		t.Errorf("the slice began %s later after a wait of more than %s", waited, slice)
	}
}

// TestRunner_Call_fuelIsDeterministic verifies that equal calls use equal fuel, whatever their instance and whatever
// ran before.
func TestRunner_Call_fuelIsDeterministic(t *testing.T) {
	t.Parallel()
	var m measurements
	e, _ := newEngine(t, measured(&m))
	r := load(t, e, "counter", func(req *plugin.LoadRequest) { req.Limits.MaxInstances = 4 })
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range 50 {
				if _, err := mode(context.Background(), r, 'n'); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	if len(m.fuel) != 200 {
		t.Fatalf("%d calls were measured, want 200", len(m.fuel))
	}
	for _, used := range m.fuel {
		if used != m.fuel[0] || used == 0 {
			t.Fatalf("calls used %v", m.fuel)
		}
	}
}

// TestEngine_metrics verifies that the instances and the memory that the metrics report add up to zero in the end.
func TestEngine_metrics(t *testing.T) {
	t.Parallel()
	var m measurements
	e, _ := newEngine(t, measured(&m))
	for _, fixture := range []string{"counter", "modes"} {
		r := load(t, e, fixture)
		for range 3 {
			calls(t, r)
		}
		if _, err := mode(t.Context(), r, 'd'); fixture == "modes" && plugin.KindOf(err) != plugin.KindTrap {
			t.Errorf("got %v, want a trap", err)
		}
		calls(t, r)
		m.mu.Lock()
		if m.instances != 1 || m.memory < pageSize {
			t.Errorf("%s: %d instances with %d bytes, want one", fixture, m.instances, m.memory)
		}
		m.mu.Unlock()
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
		eventually(t, "nothing is left", func() bool {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.instances == 0 && m.memory == 0
		})
	}
	// The fixture that can be copied was instantiated twice: by its own initialization and from an image. The other
	// fixture was instantiated again after its trap.
	if m.how[plugin.InstantiatedFresh] != 3 {
		t.Errorf("instances were made %v", m.how)
	}
}

// TestTank_more verifies that a guest that loops yields once per slice, which is much more often than the scheduler
// would preempt it.
func TestTank_more(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	r := load(t, e, "modes")
	in := r.(*runner).pool.unused[0].in
	in.tank.fill(0, time.Now())
	first := in.tank.grant
	in.tank.since = time.Now().Add(time.Hour) // however long the test is interrupted
	if _, err := in.tank.more(-5); err != nil || in.tank.grant != 2*first {
		t.Errorf("after a slice that was too short the next is %d, want %d (%v)", in.tank.grant, 2*first, err)
	}
	in.tank.since = time.Now().Add(-time.Second)
	if left, err := in.tank.more(-7); err != nil || in.tank.grant != first || left != int64(first) {
		t.Errorf("after a slice that was too long the next is %d with %d left, want %d (%v)", in.tank.grant, left, first, err)
	}
	in.tank.fill(10, time.Now())
	if in.tank.granted != 10 {
		t.Errorf("%d of a limit of 10 are granted", in.tank.granted)
	}
	if _, err := in.tank.more(-1); plugin.KindOf(err) != plugin.KindFuel {
		t.Errorf("got %v, want that the fuel is used up", err)
	}
}
