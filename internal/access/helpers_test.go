// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/kinds"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/watch"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const account = "plugin-account"

var (
	configMaps = corev1.SchemeGroupVersion.WithKind("ConfigMap")
	items      = schema.GroupVersionKind{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Item"}
)

// testCluster is a plugin's namespace and ServiceAccount on the API server, and a Factory of its clients.
type testCluster struct {
	*testenv.Account

	namespace string
	requests  *testenv.Requests
	clock     *clocktesting.FakeClock
	watches   *watch.Manager
	factory   *Factory
}

// newTestCluster creates a namespace with a ServiceAccount without permissions.
func newTestCluster(t *testing.T) *testCluster {
	t.Helper()
	env := testenv.Shared(t)
	w := &testCluster{requests: &testenv.Requests{}, clock: clocktesting.NewFakeClock(time.Now())}
	w.Account, w.namespace = env.Account(t, account)

	config := rest.CopyConfig(env.Config)
	config.Wrap(w.requests.Wrap)
	httpClient, err := rest.HTTPClientFor(env.Config)
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := kinds.NewResolver(env.Config, httpClient, clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	reviews, err := authorizationv1client.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := watch.NewCache(env.Config)
	if err != nil {
		t.Fatal(err)
	}
	w.watches = watch.NewManager(shared, logr.Discard())
	for _, start := range []func(context.Context) error{shared.Start, w.watches.Start} {
		testenv.Background(t, start)
	}
	w.factory = NewFactory(config, resolver, w.watches, rbac.NewAuthorizer(reviews, w.clock), w.clock)
	return w
}

// client returns the client of a plugin whose spec restricts only the namespace.
func (w *testCluster) client(t *testing.T, change ...func(*Options)) *RestrictedClient {
	t.Helper()
	o := Options{
		Identity:              rbac.Identity{Namespace: w.namespace, Plugin: "tester", ServiceAccount: account},
		Allowlist:             Allowlist{Namespaces: []string{w.namespace}},
		StatusUpdate:          true,
		MaxConcurrentRequests: 10,
	}
	for _, f := range change {
		f(&o)
	}
	c, err := w.factory.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// allowAll allows a plugin all namespaces.
func allowAll(o *Options) { o.Allowlist.Namespaces = []string{"*"} }

// statusOf returns an error's reason and message.
func statusOf(err error) (metav1.StatusReason, string) {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return status.Status().Reason, status.Status().Message
	}
	return "", fmt.Sprint(err)
}

// wantDenial checks the reason of an error and parts of its message.
func wantDenial(t *testing.T, err error, reason metav1.StatusReason, parts ...string) {
	t.Helper()
	gotReason, message := statusOf(err)
	if err == nil || gotReason != reason {
		t.Errorf("got %v (reason %q), want reason %q", err, gotReason, reason)
		return
	}
	for _, part := range parts {
		if !strings.Contains(message, part) {
			t.Errorf("message %q does not contain %q", message, part)
		}
	}
}

// decode decodes the JSON of an object.
func decode(t *testing.T, object []byte) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(object, &out); err != nil {
		t.Fatalf("decode %q: %v", object, err)
	}
	return out
}

// eventually waits for what the API server or the cache does with a delay.
func (w *testCluster) eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	testenv.Eventually(t, what, func(context.Context) error { return check() })
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }
