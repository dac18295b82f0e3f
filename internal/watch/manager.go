// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Reconciler handles the requests of one plugin.
type Reconciler interface {
	// Reconcile handles one request.
	Reconcile(ctx context.Context, req Request, turn Turn) (reconcile.Result, error)
}

// endTimeout limits how long reconciles in flight can take when the operator stops. It is below the 30 s that
// controller-runtime's manager, and a Pod, allow by default.
const endTimeout = 20 * time.Second

// stopTimeout limits how long reconciles in flight can take when the controller of one plugin stops. Nearly all of them
// end earlier. Whoever stops a controller waits for it, and must not wait for as long as a plugin may run.
const stopTimeout = 200 * time.Millisecond

var errStopped = errors.New("the manager of watches is not running")

// Manager runs a controller for each plugin. It is a manager.Runnable. It is safe for concurrent use for different
// plugins, but the caller must serialize calls for one plugin.
type Manager struct {
	informers *informers
	log       logr.Logger

	mu sync.Mutex
	// ctx is the context of Start. Controllers run until it ends.
	ctx context.Context //nolint:containedctx // the life of what Ensure starts is that of Start, not of the caller
	// hard also ends the reconciles in flight, a while after the end of ctx.
	hard    context.Context //nolint:containedctx // as above
	running map[types.NamespacedName]*running
	started chan struct{}
	// stopTimeout is stopTimeout, or another in a test.
	stopTimeout time.Duration
}

// NewManager returns a Manager that uses a cache of NewCache. The caller starts the cache.
func NewManager(c *Cache, log logr.Logger) *Manager {
	return &Manager{
		informers: newInformers(c), log: log,
		running: map[types.NamespacedName]*running{}, started: make(chan struct{}), stopTimeout: stopTimeout,
	}
}

// Start runs controllers until the context ends, and then gives their reconciles in flight a while to finish.
func (m *Manager) Start(ctx context.Context) error {
	hard, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	defer cutOff()
	m.mu.Lock()
	m.ctx, m.hard = ctx, hard
	m.mu.Unlock()
	close(m.started)
	<-ctx.Done()
	timer := time.AfterFunc(endTimeout, cutOff)
	defer timer.Stop()

	m.mu.Lock()
	all := m.running
	m.running = map[types.NamespacedName]*running{}
	m.mu.Unlock()
	for _, r := range all {
		r.stop(endTimeout) // m.hard ends before
	}
	return nil
}

// Ensure makes a plugin's controller watch what the spec says. A controller that already does so keeps running. Any
// other controller is stopped, as by Stop, and the new one starts with every object. No event is lost in between: the
// new controller receives events before the old one stops receiving them, and takes over the deleted objects whose
// deletion the old one has not handled.
func (m *Manager) Ensure(ctx context.Context, name types.NamespacedName, spec Spec, r Reconciler) error {
	base, err := m.base(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	old := m.running[name]
	m.mu.Unlock()
	if old != nil && old.spec.Equal(spec) {
		return nil
	}
	// The old controller keeps running until everything that the new one needs is there.
	informers, err := m.informers.acquireAll(ctx, spec)
	if err != nil {
		return err
	}
	next, err := m.prepare(ctx, base, name, spec, informers, r)
	if err != nil {
		return err
	}
	m.Stop(name)
	if old != nil {
		next.inherit(old)
	}
	next.Start()
	m.mu.Lock()
	if base.Err() == nil {
		m.running[name] = next
		next = nil
	}
	m.mu.Unlock()
	if next != nil { // Start has ended meanwhile and does not stop this controller
		next.stop(m.stopTimeout)
		return errStopped
	}
	return nil
}

// Stop stops a plugin's controller, if it has one, and waits for its reconciles in flight. Those that do not end within
// 200 ms are canceled.
func (m *Manager) Stop(name types.NamespacedName) {
	m.mu.Lock()
	r := m.running[name]
	delete(m.running, name)
	m.mu.Unlock()
	if r != nil {
		r.stop(m.stopTimeout)
	}
}

// Running reports whether a plugin's controller runs and watches what the spec says.
func (m *Manager) Running(name types.NamespacedName, spec Spec) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.running[name]
	return r != nil && r.spec.Equal(spec)
}

// Resync adds every object of a plugin to its queue again, behind the objects that change now.
func (m *Manager) Resync(ctx context.Context, name types.NamespacedName) error {
	m.mu.Lock()
	r := m.running[name]
	m.mu.Unlock()
	if r == nil {
		return nil
	}
	return m.enqueueAll(ctx, r)
}

// Depths returns how many objects wait in each plugin's queue, by "namespace/name".
func (m *Manager) Depths() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	depths := make(map[string]int, len(m.running))
	for name, r := range m.running {
		depths[name.String()] = r.Queue.Len()
	}
	return depths
}

// base returns the context in which controllers run, once Start has set it.
func (m *Manager) base(ctx context.Context) (context.Context, error) {
	select {
	case <-m.started:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx.Err() != nil {
		return nil, errStopped
	}
	return m.ctx, nil
}
