// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"testing"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/kinds"
	"github.com/k1s-io/k1s/internal/watch"
)

func TestServer_guestOnlyReads(t *testing.T) {
	w := newTestCluster(t)
	w.grant(t, w.shop, VerbValidate, "create")
	httpClient, err := rest.HTTPClientFor(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := kinds.NewResolver(w.Config, httpClient, clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	cache, err := watch.NewCache(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	authorizer := w.server.Authorizer.(*rbac.Authorizer)
	factory := access.NewFactory(w.Config, resolver, watch.NewManager(cache, logr.Discard()), authorizer, clock.RealClock{})
	p := w.plugin(nil)
	host, err := factory.New(access.Options{
		Identity: p.Identity, Allowlist: access.Allowlist{Namespaces: []string{w.shop}}, MaxConcurrentRequests: 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := w.configure(t, p)
	s.Swap(load(t, w.engine, host.Reader(), scripted(abi.ExportValidateCreate, anything, creates,
		`{"object":{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item","metadata":{"namespace":"`+w.shop+`","name":"left-behind"},"spec":{"name":"x"}}}`)))

	denied(t, w.Client.Create(t.Context(), newItem(w.shop, "it"), client.DryRunAll), 403, metav1.StatusReasonForbidden, "a plugin can only read")
	left := client.ObjectKey{Namespace: w.shop, Name: "left-behind"}
	if err := w.Client.Get(t.Context(), left, &inventoryv1alpha1.Item{}); !apierrors.IsNotFound(err) {
		t.Errorf("the guest left something behind: %v", err)
	}
}
