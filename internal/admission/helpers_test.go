// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	ctrlwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/ownwrite"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
	"github.com/k1s-io/k1s/internal/wasm"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const (
	account           = "plugin-account"
	operatorNamespace = "k1s-system"
)

var allExports = []string{
	abi.ExportSetDefaults, abi.ExportValidateCreate, abi.ExportValidateUpdate, abi.ExportValidateDelete, abi.ExportAdmit,
}

// act is what the fixture script does.
type act byte

const (
	replies act = iota
	respondsError
	traps
	loops
	creates
)

// scripted is a rule of the fixture script: what it does in an export if the input contains a text.
func scripted(export string, text string, what act, reply string) []byte {
	out := []byte{byte(slices.Index(allExports, export) + 1), byte(what)}
	out = append(binary.LittleEndian.AppendUint32(out, uint32(len(text))), text...)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(reply))), reply...)
}

// newEngine returns an engine that is closed at the end of the test.
func newEngine(tb testing.TB) *wasm.Engine {
	tb.Helper()
	engine, err := wasm.New(tb.Context(), wasm.Options{Log: logr.Discard()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = engine.Close(context.Background()) })
	return engine
}

// load loads the fixture script with rules.
func load(tb testing.TB, engine *wasm.Engine, reader plugin.Host, rules ...[]byte) plugin.Runner {
	tb.Helper()
	module := testfile.Read(tb, "testdata", "script.wasm")
	runner, _, err := engine.Load(tb.Context(), plugin.LoadRequest{
		Name: "test/script", Module: plugin.NewModule(module), Settings: slices.Concat(rules...), Reader: reader,
		Limits: plugin.Limits{MaxMemoryPages: 256, CallTimeout: testenv.Timeout, MaxInstances: 4, IdleTimeout: time.Hour},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return runner
}

// slot returns the slot of a plugin with its first revision.
func slot(tb testing.TB, first plugin.Runner) *plugin.Slot {
	s := plugin.NewSlot(testenv.Timeout)
	s.Swap(first)
	tb.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// items is the target of every test's plugin.
func items(scope plugin.Namespaces) Target {
	return Target{
		GVK: schema.GroupVersionKind{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Item"},
		GVR: schema.GroupVersionResource{Group: "inventory.example.com", Version: "v1alpha1", Resource: "items"}, Namespaced: true,
		Validate: scope, Mutate: scope,
	}
}

// testCluster has webhooks that a real API server calls.
type testCluster struct {
	*testenv.Env

	// home is the plugin's namespace, and shop is one whose admission requests it handles.
	home, shop     string
	server         *Server
	marks          *ownwrite.Marks
	configurations *Configurations
	engine         *wasm.Engine

	mu        sync.Mutex
	conflicts []Conflict
	failures  []Failure
}

func newTestCluster(t *testing.T) *testCluster {
	t.Helper()
	return newTestClusterAt(t, clock.RealClock{})
}

// countedTime is a clock that advances by a millisecond each time that it is read, and not otherwise.
type countedTime struct {
	start time.Time
	looks atomic.Int64
}

func (c *countedTime) Now() time.Time {
	return c.start.Add(time.Duration(c.looks.Add(1)) * time.Millisecond)
}

func (c *countedTime) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// newTestClusterAt is newTestCluster with the clock for the lifetime of RBAC decisions.
func newTestClusterAt(t *testing.T, clk clock.PassiveClock) *testCluster {
	t.Helper()
	env := testenv.Shared(t)
	w := &testCluster{Env: env, home: env.Namespace(t), shop: env.Namespace(t), engine: newEngine(t)}
	w.ServiceAccount(t, w.home, account)
	reviews, err := authorizationv1client.NewForConfig(env.Config)
	if err != nil {
		t.Fatal(err)
	}
	httpClient, err := rest.HTTPClientFor(env.Config)
	if err != nil {
		t.Fatal(err)
	}
	authorizer := rbac.NewAuthorizer(reviews, clk)
	rights, err := rbac.NewWatch(env.Config, httpClient, authorizer, logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	exempt := NewExempt(operatorNamespace)
	w.marks = newMarks(t)
	w.server = NewServer(ServerOptions{Authorizer: authorizer, Exempt: exempt, Marks: w.marks, Log: logr.Discard(), Conflict: func(c Conflict) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.conflicts = append(w.conflicts, c)
	}})
	hooks, ca, url := serve(t, w.server)
	w.configurations = NewConfigurations(ConfigurationsOptions{Client: env.Client, Exempt: exempt, CA: ca, URL: url})
	testenv.Background(t, rights.Start)
	testenv.Background(t, hooks.Start)
	testenv.Eventually(t, "the webhook server starts", func(context.Context) error { return hooks.StartedChecker()(nil) })
	testenv.Eventually(t, "changes of rights are heard of", func(context.Context) error {
		if !authorizer.Watched() {
			return errors.New("not yet")
		}
		return nil
	})
	return w
}

// newMarks returns marks with a key of their own.
func newMarks(t *testing.T) *ownwrite.Marks {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate := &tls.Certificate{PrivateKey: key}
	return ownwrite.New(func() (*tls.Certificate, error) { return certificate, nil }, clock.RealClock{})
}

type bundle []byte

func (b bundle) CABundle() []byte { return b }

// serve starts a webhook server that is configured like that of the operator.
func serve(t *testing.T, handler http.Handler) (ctrlwebhook.Server, CABundle, string) {
	t.Helper()
	local := envtest.WebhookInstallOptions{LocalServingHost: "127.0.0.1", LocalServingPort: testenv.FreePort(t)}
	if err := local.PrepWithoutInstalling(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Cleanup() })
	server := ctrlwebhook.NewServer(ctrlwebhook.Options{
		Host: local.LocalServingHost, Port: local.LocalServingPort, CertDir: local.LocalServingCertDir,
	})
	server.Register(PathPrefix, handler)
	return server, bundle(local.LocalServingCAData), fmt.Sprintf("https://%s:%d", local.LocalServingHost, local.LocalServingPort)
}

// plugin returns a plugin whose webhooks match every operation in the shop.
func (w *testCluster) plugin(runner plugin.Runner, change ...func(*Plugin)) *Plugin {
	p := &Plugin{
		Name:     types.NamespacedName{Namespace: w.home, Name: "script"},
		Identity: rbac.Identity{Namespace: w.home, Plugin: "script", ServiceAccount: account},
		Runner:   runner, Exports: allExports, Targets: []Target{items(plugin.Namespaces{w.shop})},
		FailurePolicy: pluginsv1alpha1.FailurePolicyFail, Timeout: 10 * time.Second,
		Failed: func(f Failure) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.failures = append(w.failures, f)
		},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func ignore(p *Plugin) { p.FailurePolicy = pluginsv1alpha1.FailurePolicyIgnore }

func allNamespaces(p *Plugin) { p.Targets = []Target{items(plugin.Namespaces{plugin.AllNamespaces})} }

// configure creates the webhooks of a plugin, and waits until the API server calls them. For every creation of an Item
// "probe", the guest returns a warning with the plugin's name.
func (w *testCluster) configure(t *testing.T, p *Plugin, rules ...[]byte) *plugin.Slot {
	t.Helper()
	s := slot(t, load(t, w.engine, nil, append([][]byte{probe(p.Name)}, rules...)...))
	p.Runner = s
	w.set(t, p)
	w.await(t, p.Name, w.shop)
	return s
}

func probe(name types.NamespacedName) []byte {
	return scripted(abi.ExportValidateCreate, `"name":"probe"`, replies, fmt.Sprintf(`{"warnings":["probed %s"]}`, name))
}

func (w *testCluster) set(t *testing.T, p *Plugin) {
	t.Helper()
	w.server.Set(p)
	if err := w.configurations.Ensure(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.configurations.Remove(context.Background(), p.Name); err != nil {
			t.Error(err)
		}
	})
}

// await waits until the API server calls a plugin's webhook for a namespace.
func (w *testCluster) await(t *testing.T, name types.NamespacedName, namespace string) {
	t.Helper()
	c, response := w.client(t)
	testenv.Eventually(t, "the API server asks the plugin", func(ctx context.Context) error {
		if err := c.Create(ctx, newItem(namespace, "probe"), client.DryRunAll); err != nil {
			return err
		}
		if want := "probed " + name.String(); !slices.Contains(response.take(), want) {
			return fmt.Errorf("no warning %q", want)
		}
		return nil
	})
}

// grant grants the plugin's ServiceAccount verbs on Items in a namespace, or in the cluster if the namespace is empty.
func (w *testCluster) grant(t *testing.T, namespace string, verbs ...string) client.Object {
	t.Helper()
	rules := []rbacv1.PolicyRule{{Verbs: verbs, APIGroups: []string{"inventory.example.com"}, Resources: []string{"items"}}}
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s.%s.%s", w.home, namespace, strings.Join(verbs, "."))}, Rules: rules}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name}
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.home, Name: account}}
	var binding client.Object = &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: role.Name}, RoleRef: ref, Subjects: subjects}
	if namespace != "" {
		binding = &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: role.Name}, RoleRef: ref, Subjects: subjects}
	}
	if err := errors.Join(w.Client.Create(t.Context(), role), w.Client.Create(t.Context(), binding)); err != nil {
		t.Fatal(err)
	}
	return binding
}

// warningRecorder collects the warnings that a client receives.
type warningRecorder struct {
	mu       sync.Mutex
	warnings []string
}

// HandleWarningHeader implements rest.WarningHandler.
func (s *warningRecorder) HandleWarningHeader(_ int, _ string, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warnings = append(s.warnings, text)
}

// take returns the warnings since the last call.
func (s *warningRecorder) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.warnings
	s.warnings = nil
	return all
}

// client returns an administrator's client, and the warnings that it receives.
func (w *testCluster) client(t *testing.T, change ...func(*rest.Config)) (client.Client, *warningRecorder) {
	t.Helper()
	s := &warningRecorder{}
	config := rest.CopyConfig(w.Config)
	config.WarningHandler = s
	for _, f := range change {
		f(config)
	}
	c, err := client.New(config, client.Options{Scheme: w.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func newItem(namespace, name string) *inventoryv1alpha1.Item {
	return &inventoryv1alpha1.Item{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: inventoryv1alpha1.ItemSpec{Name: name},
	}
}
