// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestManager_ensure_same shows that a controller with the same spec keeps running: no object is delivered again.
func TestManager_ensure_same(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.put(w.configMap("a"))
	var j, another journal
	w.ensure("plugin", w.of(configMaps), &j)
	j.eventually(t, "the object", w.request(configMaps, "a"), 0)
	before := j.calm(t)
	for range 3 {
		w.ensure("plugin", w.of(configMaps), &another)
	}
	if got := j.calm(t); got != before || another.total() != 0 {
		t.Errorf("%d and %d calls more, want none", got-before, another.total())
	}
	if n := w.informers.count()[configMaps]; n != 1 {
		t.Errorf("%d users of the informer, want 1", n)
	}
}

func TestSpec_equal(t *testing.T) {
	t.Parallel()
	base := func() Spec {
		return Spec{
			Targets: []plugin.Target{{GVK: configMaps, Selector: labels.SelectorFromSet(labels.Set{"a": "b"})}, {GVK: secrets}},
			Owns:    append(Spec{}.Owns, namespaces),
			Kinds: map[schema.GroupVersionKind]*apimeta.RESTMapping{
				configMaps: {Resource: configMaps.GroupVersion().WithResource("configmaps"), Scope: apimeta.RESTScopeNamespace},
			},
			Namespaces: []string{"one", "two"}, MaxConcurrentReconciles: 2,
		}
	}
	if !base().Equal(base()) {
		t.Error("a spec is not equal to itself")
	}
	for name, change := range map[string]func(*Spec){
		"selector":       func(s *Spec) { s.Targets[0].Selector = labels.SelectorFromSet(labels.Set{"a": "c"}) },
		"no selector":    func(s *Spec) { s.Targets[0].Selector = nil },
		"a target less":  func(s *Spec) { s.Targets = s.Targets[:1] },
		"another target": func(s *Spec) { s.Targets[1].GVK = namespaces },
		"owns":           func(s *Spec) { s.Owns = nil },
		"a resource":     func(s *Spec) { s.Kinds[configMaps].Resource.Resource = "configurations" },
		"a scope":        func(s *Spec) { s.Kinds[configMaps].Scope = apimeta.RESTScopeRoot },
		"namespaces":     func(s *Spec) { s.Namespaces = s.Namespaces[:1] },
		"workers":        func(s *Spec) { s.MaxConcurrentReconciles = 3 },
	} {
		other := base()
		change(&other)
		if base().Equal(other) || other.Equal(base()) {
			t.Errorf("%s: equal, although it differs", name)
		}
	}
}

// lastSeen records the last version of every object that a plugin received: the object's value, or gone for a deleted
// object.
type lastSeen struct {
	w    *testCluster
	mu   sync.Mutex
	seen map[string]string
}

const isDeleted = "gone"

func (l *lastSeen) Reconcile(ctx context.Context, req Request, _ Turn) (reconcile.Result, error) {
	got, err := l.w.Get(ctx, req.GVK, req.Namespace, req.Name)
	value := isDeleted
	if err == nil {
		value = fmt.Sprint(decode(l.w.t, got)["data"].(map[string]any)["value"])
	} else if !apierrors.IsNotFound(err) {
		return reconcile.Result{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[req.Name] = value
	return reconcile.Result{}, nil
}

// TestManager_ensure_changed restarts a plugin's controller again and again while objects are created, changed and
// deleted: in the end, the plugin has received the last state of every object.
func TestManager_ensure_changed(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	l := &lastSeen{w: w, seen: map[string]string{}}
	w.ensure("plugin", w.of(configMaps), l)

	const objects = 120
	want := map[string]string{}
	written := make(chan struct{})
	go func() {
		defer close(written)
		for i := range objects {
			cm := w.configMap(fmt.Sprintf("cm-%d", i), data("first"))
			err := w.env.Client.Create(t.Context(), cm)
			want[cm.Name] = "first"
			if i%3 > 0 {
				cm.Data["value"] = "second"
				err = errors.Join(err, w.env.Client.Update(t.Context(), cm))
				want[cm.Name] = "second"
			}
			if i%3 > 1 {
				err = errors.Join(err, w.env.Client.Delete(t.Context(), cm))
				want[cm.Name] = isDeleted
			}
			if err != nil {
				t.Errorf("write %s: %v", cm.Name, err)
			}
		}
	}()
	restarts := 0
	for done := false; !done; restarts++ {
		spec := w.of(configMaps)
		spec.MaxConcurrentReconciles = 1 + restarts%3
		w.ensure("plugin", spec, l)
		select {
		case <-written:
			done = true
		default:
		}
	}
	t.Logf("%d restarts", restarts)
	testenv.Eventually(t, "the last state of everything", func(context.Context) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		for name, value := range want {
			// An object that existed only between two reconciles need not have been delivered.
			if got, notified := l.seen[name]; got != value && (notified || value != isDeleted) {
				return fmt.Errorf("%s was last told to be %q, want %q", name, got, value)
			}
		}
		return nil
	})
}

// TestManager_ensure_deleted shows that the new controller receives a deleted object whose deletion the old controller
// failed to handle, although no informer has the object any more.
func TestManager_ensure_deleted(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.put(w.configMap("a"))
	w.put(w.configMap("b"))
	var old, next journal
	w.ensure("plugin", w.of(configMaps, secrets), &old)
	a, b := w.request(configMaps, "a"), w.request(configMaps, "b")
	old.eventually(t, "the object", a, 0)
	old.eventually(t, "the other object", b, 0)
	old.calm(t)
	old.answer(func(_ context.Context, req Request, _ Turn) (reconcile.Result, error) {
		if req == a {
			return reconcile.Result{}, errors.New("not yet")
		}
		return reconcile.Result{}, nil
	})
	before := old.count(b)
	w.delete(w.configMap("a"))
	w.delete(w.configMap("b"))
	old.eventually(t, "it is retried", a, 3)
	old.eventually(t, "the other is dealt with", b, before)

	w.ensure("plugin", w.of(configMaps), &next)
	next.eventually(t, "the new controller", a, 0)
	next.calm(t)
	if n := next.count(b); n > 0 {
		t.Error("what was reconciled is reconciled again")
	}
}

// TestManager_stop_waits shows that Stop waits for the reconcile in flight, that no other begins, and that the one in
// flight is canceled after a timeout.
func TestManager_stop_waits(t *testing.T) {
	t.Parallel()
	stop := func(w *testCluster) { w.Stop(named("plugin")) }
	restart := func(w *testCluster) { w.ensure("plugin", w.of(configMaps, secrets), &journal{}) }
	for name, tt := range map[string]struct {
		stop    func(*testCluster)
		timeout time.Duration
		cutOff  bool
	}{
		"stop":             {stop: stop, timeout: time.Hour},
		"restart":          {stop: restart, timeout: time.Hour},
		"end":              {stop: func(w *testCluster) { w.end() }},
		"stop, endless":    {stop: stop, timeout: time.Millisecond, cutOff: true},
		"restart, endless": {stop: restart, timeout: time.Millisecond, cutOff: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTestCluster(t)
			w.stopTimeout = tt.timeout
			for i := range 5 {
				w.put(w.configMap(fmt.Sprintf("cm-%d", i)))
			}
			entered, proceed := make(chan struct{}, 10), make(chan struct{})
			var cutOff, finished atomic.Int64
			j := &journal{do: func(ctx context.Context, _ Request, _ Turn) (reconcile.Result, error) {
				entered <- struct{}{}
				select {
				case <-proceed:
					finished.Add(1)
				case <-ctx.Done():
					cutOff.Add(1)
				}
				return reconcile.Result{}, ctx.Err()
			}}
			spec := w.of(configMaps)
			spec.MaxConcurrentReconciles = 1
			w.ensure("plugin", spec, j)
			<-entered
			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				tt.stop(w)
			}()
			if !tt.cutOff {
				select {
				case <-stopped:
					t.Error("it did not wait")
				case <-time.After(300 * time.Millisecond):
				}
				close(proceed)
			}
			select {
			case <-stopped:
			case <-time.After(testenv.Timeout):
				t.Fatal("it did not end")
			}
			wantCutOff := int64(0)
			if tt.cutOff {
				wantCutOff = 1
			}
			if j.total() != 1 || finished.Load() != 1-wantCutOff || cutOff.Load() != wantCutOff {
				t.Errorf("%d calls, %d finished, %d cut off; want just the one in flight, cut off %d", j.total(), finished.Load(), cutOff.Load(), wantCutOff)
			}
			if got := len(w.informers.count()); !strings.HasPrefix(name, "restart") && got != 0 {
				t.Errorf("%d informers are left", got)
			}
		})
	}
}

// TestManager_inFlightReads shows that what a reconcile in flight reads stays in the cache until it has finished.
func TestManager_inFlightReads(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.put(w.configMap("a"))
	entered, proceed, read := make(chan struct{}, 10), make(chan struct{}), make(chan error, 10)
	w.stopTimeout = time.Hour
	j := &journal{do: func(ctx context.Context, req Request, _ Turn) (reconcile.Result, error) {
		entered <- struct{}{}
		<-proceed
		_, err := w.Get(ctx, req.GVK, req.Namespace, req.Name)
		read <- err
		return reconcile.Result{}, nil
	}}
	w.ensure("plugin", w.of(configMaps), j)
	<-entered
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		w.Stop(named("plugin"))
	}()
	testenv.Eventually(t, "it is stopping", func(context.Context) error {
		if w.Running(named("plugin"), w.of(configMaps)) {
			return errors.New("it still runs")
		}
		return nil
	})
	close(proceed)
	if err := <-read; err != nil {
		t.Errorf("the read failed: %v", err)
	}
	<-stopped
}

// attempts collects the attempts of one request.
type attempts struct {
	mu  sync.Mutex
	all []int
}

func (a *attempts) add(n int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, n)
	return len(a.all)
}

func (a *attempts) list() []int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]int{}, a.all...)
}

// TestManager_attempts shows that attempts count up with failures in a row, and begin again after a success.
func TestManager_attempts(t *testing.T) {
	t.Parallel()
	terminal := reconcile.TerminalError(errors.New("invalid"))
	cases := []struct {
		name      string
		responses []error // the results of the calls in order; the object is changed before the calls that nothing else causes
		changes   map[int]bool
		want      []int
	}{
		{"success", []error{nil, nil, nil}, map[int]bool{1: true, 2: true}, []int{1, 1, 1}},
		{"failures", []error{errors.New("1"), errors.New("2"), errors.New("3"), nil}, nil, []int{1, 2, 3, 4}},
		{"reset by success", []error{errors.New("1"), nil, errors.New("1"), nil}, map[int]bool{2: true}, []int{1, 2, 1, 2}},
		{"terminal is not retried", []error{terminal, nil}, map[int]bool{1: true}, []int{1, 1}},
		{"terminal after failures", []error{errors.New("1"), errors.New("2"), terminal, errors.New("1"), nil}, map[int]bool{3: true}, []int{1, 2, 3, 1, 2}},
		{"wrapped terminal", []error{fmt.Errorf("call: %w", terminal), nil}, map[int]bool{1: true}, []int{1, 1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newTestCluster(t)
			var seen attempts
			j := &journal{do: func(_ context.Context, _ Request, turn Turn) (reconcile.Result, error) {
				attempt := turn.Attempt
				if n := seen.add(attempt); n <= len(c.responses) {
					return reconcile.Result{}, c.responses[n-1]
				}
				return reconcile.Result{}, nil
			}}
			w.ensure("plugin", w.of(configMaps), j)
			w.put(w.configMap("a"))
			for call := range c.want {
				if c.changes[call] {
					testenv.Eventually(t, "the calls before", func(context.Context) error { return atLeast(&seen, call) })
					j.calm(t) // nothing is reconciled without a cause
					if got := len(seen.list()); got != call {
						t.Fatalf("%d calls before the change, want %d", got, call)
					}
					w.put(w.configMap("a", data(fmt.Sprint(call))))
				}
				testenv.Eventually(t, fmt.Sprintf("call %d", call+1), func(context.Context) error { return atLeast(&seen, call+1) })
			}
			j.calm(t)
			if got := seen.list(); fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("attempts are %v, want %v", got, c.want)
			}
		})
	}
}

func atLeast(a *attempts, n int) error {
	if got := len(a.list()); got < n {
		return fmt.Errorf("%d calls, want %d", got, n)
	}
	return nil
}

// TestManager_requeueAfter shows that the plugin is called again without a change, as a first attempt.
func TestManager_requeueAfter(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	var seen attempts
	j := &journal{do: func(_ context.Context, _ Request, turn Turn) (reconcile.Result, error) {
		attempt := turn.Attempt
		if seen.add(attempt) < 3 {
			return reconcile.Result{RequeueAfter: time.Millisecond}, nil
		}
		return reconcile.Result{}, nil
	}}
	w.ensure("plugin", w.of(configMaps), j)
	w.put(w.configMap("a"))
	testenv.Eventually(t, "three calls", func(context.Context) error { return atLeast(&seen, 3) })
	j.calm(t)
	if got := fmt.Sprint(seen.list()); got != "[1 1 1]" {
		t.Errorf("attempts are %s", got)
	}
}

// TestManager_oneAtATime shows that an object never has two calls at the same time, and that all calls together stay
// within the limit.
func TestManager_oneAtATime(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	var mu sync.Mutex
	underWay, most := map[Request]int{}, 0
	j := &journal{do: func(_ context.Context, req Request, _ Turn) (reconcile.Result, error) {
		mu.Lock()
		underWay[req]++
		all := 0
		for _, n := range underWay {
			all += n
		}
		most = max(most, all)
		if underWay[req] > 1 {
			t.Errorf("two calls for %s", req.NamespacedName)
		}
		mu.Unlock()
		time.AfterFunc(time.Millisecond, func() {}) // lets other goroutines run
		mu.Lock()
		underWay[req]--
		mu.Unlock()
		return reconcile.Result{}, nil
	}}
	spec := w.of(configMaps)
	spec.MaxConcurrentReconciles = 3
	w.ensure("plugin", spec, j)
	for i := range 60 {
		w.put(w.configMap(fmt.Sprintf("cm-%d", i%4), data(fmt.Sprint(i))))
	}
	j.calm(t)
	if most > 3 {
		t.Errorf("%d calls at once, want at most 3", most)
	}
}

// TestManager_panic shows that a panic of a Reconciler fails one attempt, and not the process.
func TestManager_panic(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	var seen attempts
	j := &journal{do: func(_ context.Context, _ Request, turn Turn) (reconcile.Result, error) {
		attempt := turn.Attempt
		if seen.add(attempt) == 1 {
			panic("boom")
		}
		return reconcile.Result{}, nil
	}}
	w.ensure("plugin", w.of(configMaps), j)
	w.put(w.configMap("a", func(*corev1.ConfigMap) {}))
	testenv.Eventually(t, "a second try", func(context.Context) error { return atLeast(&seen, 2) })
}
