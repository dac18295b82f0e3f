// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/category"
	"github.com/k1s-io/k1s/internal/controller/item"
	"github.com/k1s-io/k1s/internal/embedded"
	"github.com/k1s-io/k1s/test/bench/measure"
)

// embeddedControllers are the embedded controllers of the operator in a manager, with an Item and its Category, which
// are up to date.
type embeddedControllers struct {
	registry *embedded.Registry
	request  reconcile.Request
}

func (s *session) startEmbedded() *embeddedControllers {
	t := s.cluster().newTenant()
	mgr := must(ctrl.NewManager(t.Config, ctrl.Options{
		Scheme: t.Scheme, Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)},
	}))
	key := types.NamespacedName{Namespace: t.ns, Name: "laptops"}
	e := &embeddedControllers{registry: embedded.NewRegistry(), request: reconcile.Request{NamespacedName: key}}
	for _, construct := range []embedded.Constructor{item.New, category.New} {
		check(e.registry.Register(mgr, embedded.DefaultConfig(), construct))
	}
	check(e.registry.SetupWithManager(mgr))
	stop := inBackground(mgr.Start)
	s.onClose(func() error { return try(stop) })
	t.create(
		&inventoryv1alpha1.Category{ObjectMeta: t.meta("laptops"), Spec: inventoryv1alpha1.CategorySpec{Name: "Laptops"}},
		&inventoryv1alpha1.Item{ObjectMeta: t.meta("laptops"), Spec: inventoryv1alpha1.ItemSpec{
			Name: "Laptop 14", Quantity: new(int32(12)), Category: "laptops", Tags: []string{"new", "portable"},
		}})
	t.poll(func() error { // until the cache of the controllers has the status of both
		var i inventoryv1alpha1.Item
		var c inventoryv1alpha1.Category
		check(mgr.GetClient().Get(s.ctx, key, &i))
		check(mgr.GetClient().Get(s.ctx, key, &c))
		if i.Status.Availability == "" || c.Status.ItemCount == nil || *c.Status.ItemCount != 1 {
			return fmt.Errorf("no status yet: %+v, %+v", i.Status, c.Status)
		}
		return nil
	})
	return e
}

// openEmbedded opens an embedded controller, which is called for an object that is up to date.
func (s *session) openEmbedded(name string) *measure.Opened {
	e := s.embedded()
	controller, ok := e.registry.Get(name)
	if !ok {
		check(fmt.Errorf("no embedded controller %q", name))
	}
	return &measure.Opened{Call: func(ctx context.Context, _ int) error {
		result, err := controller.Reconcile(ctx, e.request)
		if err == nil && !result.IsZero() {
			err = fmt.Errorf("it was not up to date: %+v", result)
		}
		return err
	}}
}

// embeddedRows returns the rows about the controllers that are compiled into the operator.
func embeddedRows() section {
	s := section{
		title: "Embedded controllers",
		note:  "A reconcile of an object that is as it is to be, from the manager's cache; its p50 by one caller, and calls per second of two.",
	}
	for _, name := range []string{item.Name, category.Name} {
		s.rows = append(s.rows,
			row{
				name: "embedded-" + name + "-p50", what: name + ", no change, p50", unit: "µs", seed: "< 0.1 ms", target: atMost(20),
				value: figureOf("embedded-"+name, microP50),
			},
			row{
				name: "embedded-" + name + "-calls", what: name + ", no change", unit: "/s", seed: "> 10,000/s", target: atLeast(50_000),
				value: figureOf("embedded-"+name+"-2", measure.PerSecond),
			})
	}
	return s
}
