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
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

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

// world is a plugin's namespace and ServiceAccount on the API server, and a Factory of its clients.
type world struct {
	*testenv.Env

	namespace string
	requests  *recorder
	clock     *clocktesting.FakeClock
	watches   *watch.Manager
	factory   *Factory
}

// newWorld creates a namespace with a ServiceAccount without permissions.
func newWorld(t *testing.T) *world {
	t.Helper()
	env := testenv.Shared(t)
	w := &world{Env: env, namespace: env.Namespace(t), requests: &recorder{}, clock: clocktesting.NewFakeClock(time.Now())}
	w.ServiceAccount(t, w.namespace, account)

	config := rest.CopyConfig(env.Config)
	config.Wrap(w.requests.wrap)
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
		background(t, start)
	}
	w.factory = NewFactory(config, resolver, w.watches, NewAuthorizer(reviews, w.clock), w.clock)
	return w
}

// background runs a function until the end of the test.
func background(t *testing.T, start func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("ended with: %v", err)
		}
	})
}

// client returns the client of a plugin whose spec restricts only the namespace.
func (w *world) client(t *testing.T, change ...func(*Options)) *RestrictedClient {
	t.Helper()
	o := Options{
		Identity:              Identity{Namespace: w.namespace, Plugin: "tester", ServiceAccount: account},
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

// grant grants the ServiceAccount verbs ("get,list") on resources ("items", "items/status") of a group in a namespace,
// or in the cluster if the namespace is empty. It waits until the API server has observed that.
func (w *world) grant(t *testing.T, namespace, verbs, group string, resources ...string) {
	t.Helper()
	w.bind(t, namespace, rbacv1.PolicyRule{Verbs: strings.Split(verbs, ","), APIGroups: []string{group}, Resources: resources})
}

// grantName grants the ServiceAccount one verb on one object.
func (w *world) grantName(t *testing.T, namespace, verb, group, resource, name string) {
	t.Helper()
	w.bind(t, namespace, rbacv1.PolicyRule{
		Verbs: []string{verb}, APIGroups: []string{group}, Resources: []string{resource}, ResourceNames: []string{name},
	})
}

func (w *world) bind(t *testing.T, namespace string, rule rbacv1.PolicyRule) {
	t.Helper()
	w.bindTo(t, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: w.namespace, Name: account}, namespace, rule)
}

func (w *world) bindTo(t *testing.T, subject rbacv1.Subject, namespace string, rule rbacv1.PolicyRule) {
	t.Helper()
	rules := []rbacv1.PolicyRule{rule}
	name := metav1.ObjectMeta{Namespace: namespace, GenerateName: "test-"}
	subjects := []rbacv1.Subject{subject}
	var err error
	if namespace == "" {
		role := &rbacv1.ClusterRole{ObjectMeta: name, Rules: rules}
		err = w.Client.Create(t.Context(), role)
		ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name}
		err = errors.Join(err, w.Client.Create(t.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: name, RoleRef: ref, Subjects: subjects}))
	} else {
		role := &rbacv1.Role{ObjectMeta: name, Rules: rules}
		err = w.Client.Create(t.Context(), role)
		ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name}
		err = errors.Join(err, w.Client.Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: name, RoleRef: ref, Subjects: subjects}))
	}
	if err != nil {
		t.Fatalf("grant %v: %v", rule, err)
	}
	resource, subresource, _ := strings.Cut(rule.Resources[0], "/")
	a := Action{Verb: rule.Verbs[0], Group: rule.APIGroups[0], Resource: resource, Subresource: subresource, Namespace: namespace}
	if len(rule.ResourceNames) > 0 {
		a.ObjectName = rule.ResourceNames[0]
	}
	testenv.Eventually(t, "the right to "+a.String(), func(ctx context.Context) error { return w.may(ctx, a) })
}

// may returns an error unless a new SubjectAccessReview allows the ServiceAccount an action.
func (w *world) may(ctx context.Context, a Action) error {
	id := Identity{Namespace: w.namespace, ServiceAccount: account}
	review := &authorizationv1.SubjectAccessReview{Spec: id.subject(a.attributes())}
	if err := w.Client.Create(ctx, review); err != nil {
		return err
	}
	if !review.Status.Allowed {
		return fmt.Errorf("%s cannot %s: %s", id.Username(), a, review.Status.Reason)
	}
	return nil
}

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
func (w *world) eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	testenv.Eventually(t, what, func(context.Context) error { return check() })
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }

// revoke revokes all permissions of the ServiceAccount in its namespace, and waits until the API server has observed
// that.
func (w *world) revoke(t *testing.T) {
	t.Helper()
	if err := w.Client.DeleteAllOf(t.Context(), &rbacv1.RoleBinding{}, client.InNamespace(w.namespace)); err != nil {
		t.Fatal(err)
	}
	a := Action{Verb: "get", Group: items.Group, Resource: "items", Namespace: w.namespace}
	testenv.Eventually(t, "the right is gone", func(ctx context.Context) error {
		if w.may(ctx, a) == nil {
			return errors.New("it is still there")
		}
		return nil
	})
}
