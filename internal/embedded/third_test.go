// SPDX-License-Identifier: Apache-2.0

package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/k1s-io/k1s/internal/controller/category"
	"github.com/k1s-io/k1s/internal/controller/item"
	"github.com/k1s-io/k1s/internal/embedded"
	"github.com/k1s-io/k1s/internal/testenv"
)

// newStamper is everything that a new controller needs: it labels ConfigMaps that request it.
func newStamper(mgr manager.Manager, config embedded.Config) (embedded.Controller, error) {
	c := mgr.GetClient()
	return embedded.New(mgr, embedded.Options{
		Name:     "stamper",
		ForTypes: []schema.GroupVersionKind{corev1.SchemeGroupVersion.WithKind("ConfigMap")},
		Watches:  []embedded.Watch{{Object: &corev1.ConfigMap{}, Handler: &handler.EnqueueRequestForObject{}}},
		Config:   config,
		Reconciler: reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
			object := &corev1.ConfigMap{}
			if err := c.Get(ctx, request.NamespacedName, object); err != nil {
				return reconcile.Result{}, client.IgnoreNotFound(err)
			}
			if object.Labels["stamp"] != "please" {
				return reconcile.Result{}, nil
			}
			before := object.DeepCopy()
			object.Labels["stamp"] = "done"
			return reconcile.Result{}, c.Patch(ctx, object, client.MergeFrom(before))
		}),
	})
}

// TestRegistry_thirdController shows that another controller needs only one more registration.
func TestRegistry_thirdController(t *testing.T) {
	env := testenv.Shared(t)
	registry := embedded.NewRegistry()
	env.StartManager(t, func(mgr manager.Manager) error {
		return errors.Join(
			registry.Register(mgr, embedded.DefaultConfig(), item.New),
			registry.Register(mgr, embedded.DefaultConfig(), category.New),
			registry.Register(mgr, embedded.DefaultConfig(), newStamper),
			registry.SetupWithManager(mgr),
		)
	})
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: env.Namespace(t), Name: "letter", Labels: map[string]string{"stamp": "please"},
	}}
	env.Create(t, object)
	testenv.Eventually(t, "the third controller works", func(ctx context.Context) error {
		if err := env.Client.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		if got := object.Labels["stamp"]; got != "done" {
			return fmt.Errorf("the label is %q", got)
		}
		return nil
	})
	testenv.Eventually(t, "all three serve", func(context.Context) error {
		for _, controller := range registry.List() {
			if health := controller.GetHealth(); !health.Healthy || !health.Synced {
				return fmt.Errorf("%s: %+v", controller.GetName(), health)
			}
		}
		return registry.Check(nil)
	})
	if got := len(registry.List()); got != 3 {
		t.Errorf("%d controllers, want 3", got)
	}
}
