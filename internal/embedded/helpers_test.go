// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/k1s-io/k1s/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// startHost starts a manager whose cache the tests use.
func startHost(t *testing.T, env *testenv.Env) manager.Manager {
	t.Helper()
	var host manager.Manager
	env.StartManager(t, func(mgr manager.Manager) error {
		host = mgr
		return nil
	})
	// Like in the operator, controllers start when the manager leads: a manager that is still waiting for its cache
	// would wait for an informer that a test adds and that never syncs.
	select {
	case <-host.Elected():
	case <-time.After(testenv.Timeout):
		t.Fatalf("the manager did not start within %s", testenv.Timeout)
	}
	return host
}

// newBase returns a controller for the ConfigMaps of one namespace, which stops when the test ends.
func newBase(t *testing.T, host Host, namespace string, reconciler reconcile.Reconciler, change ...func(*Options)) *base {
	t.Helper()
	options := Options{
		Name:       "configmaps",
		ForTypes:   []schema.GroupVersionKind{corev1.SchemeGroupVersion.WithKind("ConfigMap")},
		Reconciler: reconciler,
		Watches:    []Watch{{Object: &corev1.ConfigMap{}, Handler: &handler.EnqueueRequestForObject{}}},
		Config:     only(namespace),
	}
	for _, c := range change {
		c(&options)
	}
	controller, err := New(host, options)
	if err != nil {
		t.Fatalf("make the controller: %v", err)
	}
	t.Cleanup(func() {
		if err := controller.Stop(); err != nil {
			t.Errorf("stop the controller: %v", err)
		}
	})
	made, ok := controller.(*base)
	if !ok {
		t.Fatalf("New made a %T", controller)
	}
	return made
}

// only returns a configuration that excludes the objects of other tests.
func only(namespace string) Config {
	config := DefaultConfig()
	config.EventFilters = []EventFilter{func(_ EventKind, object client.Object) bool {
		return object.GetNamespace() == namespace
	}}
	return config
}

// start starts a controller.
func start(t *testing.T, controller Controller) {
	t.Helper()
	if err := controller.Start(t.Context()); err != nil {
		t.Fatalf("start: %v", err)
	}
}

// stop stops a controller.
func stop(t *testing.T, controller Controller) {
	t.Helper()
	if err := controller.Stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}
}

// createConfigMaps creates empty ConfigMaps.
func createConfigMaps(t *testing.T, env *testenv.Env, namespace string, names ...string) {
	t.Helper()
	for _, name := range names {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		env.Create(t, object)
	}
}

// request returns a request for an object.
func request(namespace, name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
}

// recorder is a reconciler that records the names in its requests.
type recorder struct {
	mu    sync.Mutex
	names []string
}

func (r *recorder) Reconcile(_ context.Context, request reconcile.Request) (reconcile.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names = append(r.names, request.Name)
	return reconcile.Result{}, nil
}

// forget removes the recorded names.
func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names = nil
}

// missing returns an error with the names that have not been recorded yet.
func (r *recorder) missing(names ...string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		if !slices.Contains(r.names, name) {
			return fmt.Errorf("%q was not reconciled, only %q", name, r.names)
		}
	}
	return nil
}

// countingHost counts the event handlers on the informers of its cache.
type countingHost struct {
	host  Host
	cache *countingCache
}

func newCountingHost(host Host) *countingHost {
	return &countingHost{host: host, cache: &countingCache{Cache: host.GetCache()}}
}

func (h *countingHost) GetCache() cache.Cache  { return h.cache }
func (h *countingHost) GetLogger() logr.Logger { return h.host.GetLogger() }

type countingCache struct {
	cache.Cache
	mu      sync.Mutex
	present int // handlers on informers
	added   int // handlers ever added
	removed int // informers removed
}

func (c *countingCache) GetInformer(ctx context.Context, obj client.Object, opts ...cache.InformerGetOption) (cache.Informer, error) {
	informer, err := c.Cache.GetInformer(ctx, obj, opts...)
	return &countingInformer{Informer: informer, cache: c}, err
}

func (c *countingCache) RemoveInformer(ctx context.Context, obj client.Object) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removed++
	return c.Cache.RemoveInformer(ctx, obj)
}

func (c *countingCache) count(present, added int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.present += present
	c.added += added
}

// read returns the handlers on informers now, those ever added, and the informers removed.
func (c *countingCache) read() (present, added, removed int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.present, c.added, c.removed
}

type countingInformer struct {
	cache.Informer
	cache *countingCache
}

func (i *countingInformer) AddEventHandlerWithOptions(handler toolscache.ResourceEventHandler, options toolscache.HandlerOptions) (toolscache.ResourceEventHandlerRegistration, error) {
	i.cache.count(1, 1)
	return i.Informer.AddEventHandlerWithOptions(handler, options)
}

func (i *countingInformer) RemoveEventHandler(handle toolscache.ResourceEventHandlerRegistration) error {
	i.cache.count(-1, 0)
	return i.Informer.RemoveEventHandler(handle)
}
