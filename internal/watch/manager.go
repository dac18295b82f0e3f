// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Reconciler handles the requests of one plugin.
type Reconciler interface {
	// Reconcile handles one request.
	Reconcile(ctx context.Context, req Request, turn Turn) (reconcile.Result, error)
}

// endTimeout is how long reconciles in flight may take when the operator ends. It is below the 30 s
// that controller-runtime's manager, and a Pod, give by default.
const endTimeout = 20 * time.Second

var errStopped = errors.New("the manager of watches is not running")

// Manager runs a controller for each plugin. It is a manager.Runnable, and safe for concurrent use
// for different plugins; calls for one plugin come one after another.
type Manager struct {
	informers *informers
	log       logr.Logger

	mu sync.Mutex
	// ctx is the context of Start while it runs; controllers live in it.
	ctx context.Context //nolint:containedctx // the life of what Ensure starts is that of Start, not of the caller
	// hard ends the reconciles in flight as well; it comes a while after the end of ctx.
	hard    context.Context //nolint:containedctx // as above
	running map[types.NamespacedName]*running
	started chan struct{}
}

// NewManager makes a Manager on a cache of NewCache, which somebody else starts.
func NewManager(c *Cache, log logr.Logger) *Manager {
	return &Manager{
		informers: newInformers(c), log: log,
		running: map[types.NamespacedName]*running{}, started: make(chan struct{}),
	}
}

// Start lets controllers run until the context ends, then gives their reconciles in flight a while
// to finish.
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
		r.stop()
	}
	return nil
}

// Ensure makes a plugin's controller watch what the spec says. One that does already goes on as it
// is; another is stopped, its reconciles in flight finish, and the new one begins with every object.
// Nothing is lost between the two: the new one hears of events before the old one stops to, and takes
// over the objects whose end the old one has not dealt with.
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
	// The old controller goes on until everything that the new one needs is there.
	informers, err := m.informers.hold(ctx, spec)
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
	next.start()
	m.mu.Lock()
	if base.Err() == nil {
		m.running[name] = next
		next = nil
	}
	m.mu.Unlock()
	if next != nil { // Start has ended meanwhile and does not know of this one
		next.stop()
		return errStopped
	}
	return nil
}

// Stop ends a plugin's controller, if it has one, and waits for its reconciles in flight.
func (m *Manager) Stop(name types.NamespacedName) {
	m.mu.Lock()
	r := m.running[name]
	delete(m.running, name)
	m.mu.Unlock()
	if r != nil {
		r.stop()
	}
}

// Running reports whether a plugin's controller runs, and watches what the spec says.
func (m *Manager) Running(name types.NamespacedName, spec Spec) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.running[name]
	return r != nil && r.spec.Equal(spec)
}

// Resync puts every object of a plugin into its queue again, behind what changes now.
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
		depths[name.String()] = r.queue.Len()
	}
	return depths
}

// Informers returns how many controllers use the informer of each kind.
func (m *Manager) Informers() map[schema.GroupVersionKind]int { return m.informers.count() }

// base returns the context that controllers live in, once there is one.
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
