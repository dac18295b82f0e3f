// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/k1s-io/k1s/internal/kinds"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

var (
	configMaps = corev1.SchemeGroupVersion.WithKind("ConfigMap")
	secrets    = corev1.SchemeGroupVersion.WithKind("Secret")
	namespaces = corev1.SchemeGroupVersion.WithKind("Namespace")
)

// testCluster is a running Manager, and a namespace.
type testCluster struct {
	env *testenv.Env
	*Manager

	kinds     *kinds.Resolver
	t         *testing.T
	namespace string
	// end stops the Manager and waits for it.
	end func()
}

func newTestCluster(t *testing.T) *testCluster {
	t.Helper()
	env := testenv.Shared(t)
	w := newTestClusterAs(t, env.Config)
	w.namespace = env.Namespace(t)
	return w
}

// newTestClusterAs returns a testCluster whose informers run with the permissions of a connection.
func newTestClusterAs(t *testing.T, config *rest.Config) *testCluster {
	t.Helper()
	env := testenv.Shared(t)
	httpClient, err := rest.HTTPClientFor(env.Config)
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := kinds.NewResolver(env.Config, httpClient, clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	shared, err := NewCache(config)
	if err != nil {
		t.Fatal(err)
	}
	w := &testCluster{env: env, Manager: NewManager(shared, logr.Discard()), kinds: resolver, t: t}
	testenv.Background(t, shared.Start)
	w.end = testenv.Background(t, w.Start)
	return w
}

// named returns the plugin with a name.
func named(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "plugins", Name: name}
}

// of returns a spec that watches kinds in the test's namespace.
func (w *testCluster) of(watched ...schema.GroupVersionKind) Spec {
	w.t.Helper()
	s := Spec{Namespaces: []string{w.namespace}, MaxConcurrentReconciles: 2}
	for _, gvk := range watched {
		s.Targets = append(s.Targets, plugin.Target{GVK: gvk})
	}
	return w.resolved(s)
}

// resolved adds to a spec how those of its kinds that are served are served.
func (w *testCluster) resolved(s Spec) Spec {
	w.t.Helper()
	s.Kinds = map[schema.GroupVersionKind]*apimeta.RESTMapping{}
	for _, gvk := range s.kinds() {
		switch kind, err := w.kinds.Resolve(w.t.Context(), gvk); {
		case err == nil:
			s.Kinds[gvk] = kind
		case !kinds.IsNotServed(err):
			w.t.Fatal(err)
		}
	}
	return s
}

// watched reports whether a kind is in the cache.
func (w *testCluster) watched(gvk schema.GroupVersionKind) bool {
	w.t.Helper()
	return w.Watched(w.of(gvk).Kinds[gvk])
}

func (w *testCluster) ensure(name string, spec Spec, r Reconciler) {
	w.t.Helper()
	if err := w.Ensure(w.t.Context(), named(name), w.resolved(spec), r); err != nil {
		w.t.Fatalf("ensure %s: %v", name, err)
	}
}

// configMap returns a ConfigMap of the test's namespace.
func (w *testCluster) configMap(name string, change ...func(*corev1.ConfigMap)) *corev1.ConfigMap {
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
	for _, f := range change {
		f(cm)
	}
	return cm
}

// put creates or updates an object.
func (w *testCluster) put(o client.Object) {
	w.t.Helper()
	create := o.DeepCopyObject().(client.Object)
	err := w.env.Client.Create(w.t.Context(), create)
	if client.IgnoreAlreadyExists(err) != nil {
		w.t.Fatal(err)
	}
	if err != nil {
		if err := w.env.Client.Update(w.t.Context(), o); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *testCluster) delete(o client.Object) {
	w.t.Helper()
	if err := w.env.Client.Delete(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
}

// request returns a request for an object in the test's namespace.
func (w *testCluster) request(gvk schema.GroupVersionKind, name string) Request {
	return Request{GVK: gvk, NamespacedName: types.NamespacedName{Namespace: w.namespace, Name: name}}
}

// journal is a Reconciler that records its requests.
type journal struct {
	mu    sync.Mutex
	calls map[Request]int
	// do, if set, determines the result of a call.
	do func(ctx context.Context, req Request, turn Turn) (reconcile.Result, error)
}

func (j *journal) Reconcile(ctx context.Context, req Request, turn Turn) (reconcile.Result, error) {
	j.mu.Lock()
	if j.calls == nil {
		j.calls = map[Request]int{}
	}
	j.calls[req]++
	do := j.do
	j.mu.Unlock()
	if do != nil {
		return do(ctx, req, turn)
	}
	return reconcile.Result{}, nil
}

// answer determines the results of all later calls.
func (j *journal) answer(do func(context.Context, Request, Turn) (reconcile.Result, error)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.do = do
}

// count returns how often a request was reconciled.
func (j *journal) count(req Request) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.calls[req]
}

// total returns how many requests were reconciled.
func (j *journal) total() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for _, c := range j.calls {
		n += c
	}
	return n
}

// eventually waits until a request was reconciled more often than before.
func (j *journal) eventually(t *testing.T, what string, req Request, before int) {
	t.Helper()
	testenv.Eventually(t, what, func(context.Context) error {
		if n := j.count(req); n <= before {
			return fmt.Errorf("%d calls for %s %s, want more than %d", n, req.GVK.Kind, req.NamespacedName, before)
		}
		return nil
	})
}

// calm waits until nothing has been reconciled for a while, and returns the total number of requests.
func (j *journal) calm(t *testing.T) int {
	t.Helper()
	last, same := -1, 0
	testenv.Eventually(t, "calm", func(context.Context) error {
		if n := j.total(); n != last {
			last, same = n, 0
		} else if same++; same >= 10 {
			return nil
		}
		return errors.New("still busy")
	})
	return last
}

// watches returns how many watches on a resource the API server serves.
func (w *testCluster) watches(ctx context.Context, resource string) (float64, error) {
	config := rest.CopyConfig(w.env.Config)
	config.NegotiatedSerializer = clientgoscheme.Codecs.WithoutConversion()
	c, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return 0, err
	}
	text, err := c.Get().AbsPath("/metrics").Do(ctx).Raw()
	if err != nil {
		return 0, err
	}
	total := 0.0
	for line := range strings.Lines(string(text)) {
		var n float64
		if strings.HasPrefix(line, "apiserver_longrunning_requests{") && strings.Contains(line, `resource="`+resource+`"`) && strings.Contains(line, `verb="WATCH"`) {
			if _, err := fmt.Sscanf(line[strings.LastIndexByte(line, ' ')+1:], "%f", &n); err != nil {
				return 0, err
			}
			total += n
		}
	}
	return total, nil
}

func decode(t *testing.T, object []byte) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(object, &out); err != nil {
		t.Fatalf("decode %s: %v", object, err)
	}
	return out
}

func isNotFound(err error) bool { return apierrors.IsNotFound(err) }

// count returns how many controllers use each kind's informer.
func (i *informers) count() map[schema.GroupVersionKind]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	out := make(map[schema.GroupVersionKind]int, len(i.current))
	for gvk, used := range i.current {
		out[gvk] = used.users
	}
	return out
}
