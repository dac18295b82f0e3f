// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/testenv"
)

const anything = `"apiVersion"`

func invalid(message string) string { return fmt.Sprintf(`{"reason":"Invalid","message":%q}`, message) }

func TestServer_defaultsAndValidates(t *testing.T) {
	w := newTestCluster(t)
	w.grant(t, w.shop, VerbValidate, VerbMutate)
	w.configure(t, w.plugin(nil),
		scripted(abi.ExportSetDefaults, `"name":"hammer"`, replies, `[{"op":"add","path":"/spec/category","value":"tools"}]`),
		scripted(abi.ExportValidateCreate, `"price":666`, respondsError, invalid("spec.price must not be 666")),
		scripted(abi.ExportValidateCreate, `"category":"tools"`, replies, `{"warnings":["tools are sharp"]}`),
		scripted(abi.ExportValidateUpdate, `"quantity":7`, respondsError, `{"reason":"Conflict","code":409,"message":"not seven"}`),
		scripted(abi.ExportValidateDelete, `"name":"hammer"`, respondsError, `{"message":"hammers stay"}`),
		scripted(abi.ExportAdmit, `"operation":"CREATE"`, replies, `{"warnings":["admitted"]}`),
	)
	c, response := w.client(t)

	hammer := newItem(w.shop, "hammer")
	if err := c.Create(t.Context(), hammer, client.DryRunAll); err != nil || hammer.Spec.Category != "tools" {
		t.Errorf("a dry run made %+v, error %v", hammer.Spec, err)
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(hammer), &inventoryv1alpha1.Item{}); !apierrors.IsNotFound(err) {
		t.Errorf("the dry run left something behind: %v", err)
	}
	response.take()

	hammer = newItem(w.shop, "hammer")
	if err := c.Create(t.Context(), hammer); err != nil {
		t.Fatal(err)
	}
	if hammer.Spec.Category != "tools" {
		t.Errorf("the category is %q", hammer.Spec.Category)
	}
	if diff := cmp.Diff([]string{"tools are sharp", "admitted"}, response.take()); diff != "" {
		t.Error(diff)
	}

	bad := newItem(w.shop, "bad")
	bad.Spec.Price = new(int64(666))
	denied(t, c.Create(t.Context(), bad), 422, metav1.StatusReasonInvalid, "spec.price must not be 666")

	hammer.Spec.Quantity = new(int32(7))
	denied(t, c.Update(t.Context(), hammer), 409, metav1.StatusReasonConflict, "not seven")
	denied(t, c.Delete(t.Context(), hammer), 403, metav1.StatusReasonForbidden, "hammers stay")
}

// denied checks an error of the API server.
func denied(t *testing.T, err error, code int32, reason metav1.StatusReason, texts ...string) {
	t.Helper()
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		t.Errorf("error %v is no answer of the API server's", err)
		return
	}
	s := status.Status()
	if s.Code != code || s.Reason != reason {
		t.Errorf("%d %s: %s; want %d %s", s.Code, s.Reason, s.Message, code, reason)
	}
	for _, text := range texts {
		if !strings.Contains(s.Message, text) {
			t.Errorf("%q does not say %q", s.Message, text)
		}
	}
}

func TestServer_failurePolicy(t *testing.T) {
	w := newTestCluster(t)
	w.grant(t, w.shop, VerbValidate, VerbMutate)
	for name, tt := range map[string]struct {
		rule []byte
		// own is the plugin's timeout. The API server always waits longer, so that it is never the first to time out.
		own    time.Duration
		code   int32
		reason metav1.StatusReason
		want   string
	}{
		"trap":      {scripted(abi.ExportValidateCreate, `"name":"it"`, traps, ""), 0, 500, metav1.StatusReasonInternalError, "crashed"},
		"endless":   {scripted(abi.ExportAdmit, `"name":"it"`, loops, ""), time.Second, 503, metav1.StatusReasonServiceUnavailable, "did not answer in time"},
		"no answer": {scripted(abi.ExportAdmit, `"name":"it"`, respondsError, `{"reason":"ServiceUnavailable","message":"the registry is away"}`), 0, 503, metav1.StatusReasonServiceUnavailable, "the registry is away"},
		"reaches outside": {
			scripted(abi.ExportSetDefaults, `"name":"it"`, replies, `[{"op":"add","path":"/metadata/finalizers","value":["example.com/x"]}]`), 0,
			500, metav1.StatusReasonInternalError, `it changes "metadata.finalizers"`,
		},
		"no reply of the ABI": {scripted(abi.ExportValidateCreate, `"name":"it"`, replies, `{"warnings":1}`), 0, 500, metav1.StatusReasonInternalError, "cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			c, response := w.client(t)
			p := w.plugin(nil)
			bound := func(p *Plugin) {
				if tt.own > 0 {
					own := *p
					own.Timeout = tt.own
					w.server.Set(&own)
				}
			}
			w.configure(t, p, tt.rule)
			bound(p)
			denied(t, c.Create(t.Context(), newItem(w.shop, "it")), tt.code, tt.reason,
				tt.want, fmt.Sprintf(`plugin "%s/script"`, w.home), "kubectl describe wasmplugin script -n "+w.home)

			ignoring := *p
			ignore(&ignoring)
			w.set(t, &ignoring)
			bound(&ignoring)
			response.take()
			if err := c.Create(t.Context(), newItem(w.shop, "it"), client.DryRunAll); err != nil {
				t.Fatalf("not let through: %v", err)
			}
			warnings := response.take()
			if !slices.ContainsFunc(warnings, func(s string) bool {
				return strings.Contains(s, tt.want) && strings.Contains(s, w.home+"/script")
			}) {
				t.Errorf("warnings %q", warnings)
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(w.failures) < 2 || w.failures[0].Key != "Item "+w.shop+"/it" || w.failures[0].Err == nil {
				t.Errorf("reported: %+v", w.failures)
			}
			w.failures = nil
		})
	}
}

func TestServer_swapUnderLoad(t *testing.T) {
	w := newTestCluster(t)
	w.grant(t, w.shop, VerbValidate, VerbMutate)
	p := w.plugin(nil)
	version := func(n int) [][]byte {
		return [][]byte{
			probe(p.Name),
			scripted(abi.ExportSetDefaults, anything, replies, fmt.Sprintf(`[{"op":"add","path":"/spec/category","value":"v%d"}]`, n)),
		}
	}
	s := w.configure(t, p, version(0)[1:]...)
	c, _ := w.client(t)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	errs := make(chan error, 4)
	served := make(chan string, 1)
	for range cap(errs) {
		running.Go(func() {
			for ctx.Err() == nil {
				item := newItem(w.shop, "load")
				if err := c.Create(context.WithoutCancel(ctx), item, client.DryRunAll); err != nil {
					errs <- err
					return
				}
				select {
				case served <- item.Spec.Category:
				case <-ctx.Done():
				}
			}
		})
	}
	for n := 1; n <= 20; n++ {
		s.Swap(load(t, w.engine, nil, version(n)...))
		deadline := time.After(testenv.Timeout)
		for seen := false; !seen; {
			select {
			case category := <-served:
				seen = category == fmt.Sprintf("v%d", n)
			case err := <-errs:
				t.Fatal(err)
			case <-deadline:
				t.Fatalf("revision %d does not serve", n)
			}
		}
	}
	stop()
	running.Wait()
	select {
	case err := <-errs:
		t.Error(err)
	default:
	}
}

func TestServer_exemptNamespaces(t *testing.T) {
	w := newTestCluster(t)
	w.grant(t, "", VerbValidate, VerbMutate)
	w.configure(t, w.plugin(nil, allNamespaces),
		scripted(abi.ExportValidateCreate, `"name":"it"`, traps, ""), scripted(abi.ExportSetDefaults, `"name":"it"`, traps, ""))
	namespaces := []string{metav1.NamespaceSystem, operatorNamespace}
	operator := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: operatorNamespace}}
	w.Create(t, operator)
	for _, namespace := range namespaces {
		if err := w.Client.Create(t.Context(), newItem(namespace, "it"), client.DryRunAll); err != nil {
			t.Errorf("namespace %q: %v", namespace, err)
		}
	}
	if err := w.Client.Create(t.Context(), newItem(w.shop, "it"), client.DryRunAll); err == nil {
		t.Error("the plugin has no say where it should have")
	}
}

func TestServer_tenantHasNoSayElsewhere(t *testing.T) {
	w := newTestCluster(t)
	other := w.Namespace(t)
	w.grant(t, w.shop, VerbValidate, VerbMutate)
	// The webhook configuration wrongly matches every namespace.
	w.configure(t, w.plugin(nil, allNamespaces), scripted(abi.ExportValidateCreate, `"name":"it"`, respondsError, invalid("no")))
	if err := w.Client.Create(t.Context(), newItem(other, "it"), client.DryRunAll); err != nil {
		t.Errorf("in another namespace: %v", err)
	}
	denied(t, w.Client.Create(t.Context(), newItem(w.shop, "it"), client.DryRunAll), 422, metav1.StatusReasonInvalid, "no")
}

// A plugin whose permission is revoked is no longer called. The decision does not expire, because the clock is not read
// often enough for that.
func TestServer_rightRevoked(t *testing.T) {
	clk := &countedTime{start: time.Now()}
	w := newTestClusterAt(t, clk)
	binding := w.grant(t, w.shop, VerbValidate)
	w.configure(t, w.plugin(nil), scripted(abi.ExportValidateCreate, `"name":"it"`, respondsError, invalid("no")))
	denied(t, w.Client.Create(t.Context(), newItem(w.shop, "it"), client.DryRunAll), 422, metav1.StatusReasonInvalid, "no")
	before := clk.looks.Load()
	w.Delete(t, binding)
	testenv.Eventually(t, "the plugin loses its say", func(ctx context.Context) error {
		return w.Client.Create(ctx, newItem(w.shop, "it"), client.DryRunAll)
	})
	t.Logf("the clock was looked at %d times", clk.looks.Load()-before)
}

func TestServer_deletionProceeds(t *testing.T) {
	w := newTestCluster(t)
	w.grant(t, w.shop, VerbValidate)
	const finalizer = "example.com/wait"
	item := newItem(w.shop, "it")
	w.Create(t, item)
	w.configure(t, w.plugin(nil), scripted(abi.ExportValidateUpdate, anything, respondsError, invalid("no updates")))

	item.Finalizers = []string{finalizer}
	if err := w.Client.Update(t.Context(), item); err != nil {
		t.Errorf("put a finalizer on: %v", err)
	}
	item.Labels = map[string]string{"a": "b"}
	denied(t, w.Client.Update(t.Context(), item), 422, metav1.StatusReasonInvalid, "no updates")
	w.Delete(t, item)
	w.Get(t, client.ObjectKeyFromObject(item), item)
	item.Labels, item.Finalizers = map[string]string{"a": "b"}, nil
	if err := w.Client.Update(t.Context(), item); err != nil {
		t.Errorf("take the finalizer off: %v", err)
	}
}

func TestServer_twoPluginsDefaultOneField(t *testing.T) {
	w := newTestCluster(t)
	w.grant(t, w.shop, VerbValidate, VerbMutate)
	for _, name := range []string{"one", "two"} {
		w.configure(t, w.plugin(nil, func(p *Plugin) { p.Name.Name, p.Identity.Plugin = name, name }),
			scripted(abi.ExportSetDefaults, `"name":"it"`, replies, fmt.Sprintf(`[{"op":"add","path":"/spec/category","value":%q}]`, name)))
	}
	c, response := w.client(t)
	for range 3 {
		response.take()
		if err := c.Create(t.Context(), newItem(w.shop, "it"), client.DryRunAll); err != nil {
			t.Fatal(err)
		}
	}
	const want = "spec.category is also set by another plugin; which one wins is not defined"
	warnings := response.take()
	if !slices.Contains(warnings, want) {
		t.Errorf("warnings %q", warnings)
	}
	if strings.Contains(strings.Join(warnings, "; "), w.home) {
		t.Errorf("warnings name a plugin to who cannot list it: %q", warnings)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.conflicts) != 1 || w.conflicts[0].Field != "spec.category" {
		t.Errorf("reported: %+v", w.conflicts)
	}
}
