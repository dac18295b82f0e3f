// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-logr/logr"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/admission"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/wasm"
	"github.com/k1s-io/k1s/test/bench/measure"
)

const (
	// held is how many Items are created with the plugin, and how many without it, alternating.
	held = 500
	// heldCategory is the category that the plugin sets.
	heldCategory = "held"
)

// admissionResult is the durations of create requests with and without the plugin.
type admissionResult struct{ with, without []time.Duration }

// added returns the latency that the plugin adds, as the difference of a percentile.
func (r admissionResult) added(p int) time.Duration {
	return measure.Percentile(r.with, p) - measure.Percentile(r.without, p)
}

// admissionTimes creates Items in a namespace where a plugin defaults and validates them, and in one without a plugin.
func (s *session) admissionTimes(ctx context.Context) (admissionResult, error) {
	return s.admitted.get(func() (result admissionResult, err error) {
		c, err := s.useCluster()
		if err != nil {
			return result, err
		}
		with, err := c.newTenant(ctx)
		if err != nil {
			return result, err
		}
		without, err := c.newTenant(ctx)
		if err != nil {
			return result, err
		}
		stop, err := s.holdUp(ctx, with)
		if err != nil {
			return result, err
		}
		defer func() { err = errors.Join(err, stop()) }()
		s.log("%d creations with a plugin, and as many without", held)
		for i := range held {
			for _, t := range []tenant{with, without} {
				item := &inventoryv1alpha1.Item{ObjectMeta: t.meta(fmt.Sprintf("item-%03d", i)), Spec: inventoryv1alpha1.ItemSpec{Name: "item"}}
				start := time.Now()
				if err := t.create(ctx, item); err != nil {
					return result, err
				}
				took := time.Since(start)
				if (item.Spec.Category == heldCategory) != (t == with) {
					return result, fmt.Errorf("the category of item %d is %q", i, item.Spec.Category)
				}
				if t == with {
					result.with = append(result.with, took)
				} else {
					result.without = append(result.without, took)
				}
			}
		}
		return result, nil
	})
}

// holdUp serves the webhooks of a plugin that validates and defaults the Items of a tenant, until stop is called.
func (s *session) holdUp(ctx context.Context, t tenant) (stop func() error, err error) {
	var stops []func() error
	stop = func() error {
		var err error
		for _, f := range slices.Backward(stops) {
			err = errors.Join(err, f())
		}
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, stop())
		}
	}()
	run := func(start func(context.Context) error) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- start(ctx) }()
		stops = append(stops, func() error { cancel(); return <-done })
	}

	reviews, err := authorizationv1client.NewForConfig(t.Config)
	if err != nil {
		return nil, err
	}
	authorizer := access.NewAuthorizer(reviews, clock.RealClock{})
	authorizer.Watch(true) // no permissions change here

	exempt := admission.NewExempt("default")
	server := admission.NewServer(admission.ServerOptions{Authorizer: authorizer, Exempt: exempt, Log: logr.Discard()})
	var local envtest.WebhookInstallOptions
	if err := local.PrepWithoutInstalling(); err != nil {
		return nil, err
	}
	stops = append(stops, local.Cleanup)
	hooks := webhook.NewServer(webhook.Options{Host: local.LocalServingHost, Port: local.LocalServingPort, CertDir: local.LocalServingCertDir})
	hooks.Register(admission.PathPrefix, server)
	run(hooks.Start)

	p, err := s.holder(ctx, t)
	if err != nil {
		return nil, err
	}
	stops = append(stops, func() error { return p.Runner.Close(context.Background()) })
	configurations := admission.NewConfigurations(admission.ConfigurationsOptions{
		Client: t.Client, Exempt: exempt, CA: authority(local.LocalServingCAData),
		URL: fmt.Sprintf("https://%s:%d", local.LocalServingHost, local.LocalServingPort),
	})
	server.Set(p)
	if err := errors.Join(t.mayHold(ctx), configurations.Ensure(ctx, p)); err != nil {
		return nil, err
	}
	stops = append(stops, func() error { return configurations.Remove(context.Background(), p.Name) })
	return stop, testenv.Poll(ctx, patience, func(ctx context.Context) error {
		item := &inventoryv1alpha1.Item{ObjectMeta: metav1.ObjectMeta{Namespace: t.ns, GenerateName: "probe-"}, Spec: inventoryv1alpha1.ItemSpec{Name: "probe"}}
		if err := t.create(ctx, item); err != nil {
			return err
		}
		if item.Spec.Category != heldCategory {
			return errors.New("the API server does not ask the plugin yet")
		}
		return nil
	})
}

type authority []byte

// CABundle implements admission.CABundle.
func (a authority) CABundle() []byte { return a }

// mayHold gives the tenant's ServiceAccount the permissions to validate and mutate Items.
func (t tenant) mayHold(ctx context.Context) error {
	return t.create(ctx,
		&rbacv1.Role{ObjectMeta: t.meta("holds"), Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{inventoryv1alpha1.GroupVersion.Group}, Resources: []string{"items"},
			Verbs: []string{admission.VerbValidate, admission.VerbMutate},
		}}},
		&rbacv1.RoleBinding{
			ObjectMeta: t.meta("holds"), RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "holds"},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: t.ns, Name: "plugin"}},
		})
}

// holder returns a plugin that sets a category and allows Items that have it. Its guest is that of the tests of
// internal/admission. The source of the guest describes the format of its settings.
func (s *session) holder(ctx context.Context, t tenant) (*admission.Plugin, error) {
	bytes, err := os.ReadFile(filepath.Join(s.root, "internal", "admission", "testdata", "script.wasm"))
	if err != nil {
		return nil, err
	}
	engine, err := wasm.New(ctx, wasm.Options{Log: logr.Discard()})
	if err != nil {
		return nil, err
	}
	s.onClose(func() error { return engine.Close(context.Background()) })
	runner, _, err := engine.Load(ctx, plugin.LoadRequest{
		Name: t.ns + "/holder", Module: plugin.NewModule(bytes),
		Settings: slices.Concat(
			scriptRule(1, `"kind":"Item"`, `[{"op":"add","path":"/spec/category","value":"`+heldCategory+`"}]`),
			scriptRule(2, `"category":"`+heldCategory+`"`, ""),
		),
		Limits: plugin.Limits{MaxMemoryPages: 256, CallTimeout: patience, MaxInstances: 4, IdleTimeout: time.Hour},
	})
	if err != nil {
		return nil, err
	}
	slot := plugin.NewSlot(patience)
	slot.Swap(runner)
	scope := admission.Scope{Namespaces: []string{t.ns}}
	return &admission.Plugin{
		Name:     types.NamespacedName{Namespace: t.ns, Name: "holder"},
		Identity: access.Identity{Namespace: t.ns, Plugin: "holder", ServiceAccount: "plugin"},
		Runner:   slot, Exports: []string{abi.ExportSetDefaults, abi.ExportValidateCreate},
		Targets: []admission.Target{{
			GVK: inventoryv1alpha1.GroupVersion.WithKind("Item"), GVR: inventoryv1alpha1.GroupVersion.WithResource("items"),
			Namespaced: true, Validate: scope, Mutate: scope,
		}},
		FailurePolicy: pluginsv1alpha1.FailurePolicyFail, Timeout: 10 * time.Second,
	}, nil
}

// scriptRule returns a rule that makes the guest reply in an export if its input contains a text.
func scriptRule(export byte, text, reply string) []byte {
	rule := append(binary.LittleEndian.AppendUint32([]byte{export, 0}, uint32(len(text))), text...)
	return append(binary.LittleEndian.AppendUint32(rule, uint32(len(reply))), reply...)
}

// admissionRows returns the rows about admission requests.
func admissionRows() section {
	added := func(p int) row {
		return row{
			name: fmt.Sprintf("admission-p%d", p), what: fmt.Sprintf("added to a creation, p%d", p), unit: "ms",
			measure: func(ctx context.Context, s *session) (float64, error) {
				r, err := s.admissionTimes(ctx)
				if err != nil {
					return 0, err
				}
				return r.added(p).Seconds() * millis, nil
			},
			note: func(s *session) string {
				r, err := s.admissionTimes(context.Background())
				if err != nil {
					return ""
				}
				return fmt.Sprintf("with the plugin %.2f ms · without %.2f ms",
					measure.Percentile(r.with, p).Seconds()*millis, measure.Percentile(r.without, p).Seconds()*millis)
			},
		}
	}
	return section{
		title: "Admission requests",
		note: fmt.Sprintf("One plugin that defaults a field and validates, so two webhooks: %d Items created one after another where it is asked, in turns with "+
			"as many where it is not. The guest, in WAT, hardly does anything; the rest is TLS, HTTP and the API server.", held),
		rows: []row{added(50), added(99)},
	}
}
