// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
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
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/admission"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/test/bench/measure"
)

const (
	// pairs is how many Items are created with the plugin, and how many without it, alternating.
	pairs = 500
	// defaulted is the category that the plugin sets.
	defaulted = "defaulted"
)

// admissionResult is the durations of create requests with and without the plugin.
type admissionResult struct{ with, without []time.Duration }

// added returns the latency that the plugin adds, as the difference of a percentile.
func (r admissionResult) added(p int) time.Duration {
	return measure.Percentile(r.with, p) - measure.Percentile(r.without, p)
}

// admissionTimes creates Items in a namespace where a plugin defaults and validates them, and in one without a plugin.
func (s *session) admissionTimes() (result admissionResult) {
	with, without := s.cluster().newTenant(), s.cluster().newTenant()
	defer s.serveWebhooks(with)()
	s.log("%d creations with a plugin, and as many without", pairs)
	for i := range pairs {
		for _, t := range []tenant{with, without} {
			item := &inventoryv1alpha1.Item{ObjectMeta: t.meta(fmt.Sprintf("item-%03d", i)), Spec: inventoryv1alpha1.ItemSpec{Name: "item"}}
			start := time.Now()
			t.create(item)
			took := time.Since(start)
			if (item.Spec.Category == defaulted) != (t == with) {
				check(fmt.Errorf("the category of item %d is %q", i, item.Spec.Category))
			}
			if t == with {
				result.with = append(result.with, took)
			} else {
				result.without = append(result.without, took)
			}
		}
	}
	return result
}

// serveWebhooks serves the webhooks of a plugin that validates and defaults the Items of a tenant, until stop is called.
func (s *session) serveWebhooks(t tenant) (stop func()) {
	authorizer := rbac.NewAuthorizer(must(authorizationv1client.NewForConfig(t.Config)), clock.RealClock{})
	authorizer.Watch(true) // no permissions change here
	exempt := admission.NewExempt("default")
	server := admission.NewServer(admission.ServerOptions{Authorizer: authorizer, Exempt: exempt, Log: logr.Discard()})
	var local envtest.WebhookInstallOptions
	check(local.PrepWithoutInstalling())
	s.onClose(local.Cleanup)
	hooks := webhook.NewServer(webhook.Options{Host: local.LocalServingHost, Port: local.LocalServingPort, CertDir: local.LocalServingCertDir})
	hooks.Register(admission.PathPrefix, server)
	stopHooks := inBackground(hooks.Start)

	p := s.admissionPlugin(t)
	server.Set(p)
	t.grant("admission", rbacv1.PolicyRule{
		APIGroups: []string{inventory}, Resources: []string{"items"}, Verbs: []string{admission.VerbValidate, admission.VerbMutate},
	})
	configurations := admission.NewConfigurations(admission.ConfigurationsOptions{
		Client: t.Client, Exempt: exempt, CA: caBundle(local.LocalServingCAData),
		URL: fmt.Sprintf("https://%s:%d", local.LocalServingHost, local.LocalServingPort),
	})
	check(configurations.Ensure(s.ctx, p))
	t.poll(func() error {
		item := &inventoryv1alpha1.Item{ObjectMeta: metav1.ObjectMeta{Namespace: t.ns, GenerateName: "probe-"}, Spec: inventoryv1alpha1.ItemSpec{Name: "probe"}}
		t.create(item)
		if item.Spec.Category != defaulted {
			return errors.New("the API server does not call the webhooks yet")
		}
		return nil
	})
	return func() {
		check(configurations.Remove(context.WithoutCancel(s.ctx), p.Name))
		stopHooks()
	}
}

type caBundle []byte

// CABundle implements admission.CABundle.
func (c caBundle) CABundle() []byte { return c }

// admissionPlugin returns a plugin that sets a category and allows Items that have it. Its guest is that of the tests of
// internal/admission. The source of the guest describes the format of its settings.
func (s *session) admissionPlugin(t tenant) *admission.Plugin {
	engine := newEngine(s.ctx, "")
	s.onClose(func() error { return engine.Close(context.WithoutCancel(s.ctx)) })
	runner, _, err := engine.Load(s.ctx, plugin.LoadRequest{
		Name: t.ns + "/admission", Module: plugin.NewModule(s.file("internal", "admission", "testdata", "script.wasm")),
		Settings: slices.Concat(
			scriptRule(1, `"kind":"Item"`, `[{"op":"add","path":"/spec/category","value":"`+defaulted+`"}]`),
			scriptRule(2, `"category":"`+defaulted+`"`, ""),
		),
		Limits: plugin.Limits{MaxMemoryPages: 256, CallTimeout: patience, MaxInstances: 4, IdleTimeout: time.Hour},
	})
	check(err)
	slot := plugin.NewSlot(patience)
	slot.Swap(runner)
	scope := plugin.Namespaces{t.ns}
	return &admission.Plugin{
		Name:     types.NamespacedName{Namespace: t.ns, Name: "admission"},
		Identity: rbac.Identity{Namespace: t.ns, Plugin: "admission", ServiceAccount: "plugin"},
		Runner:   slot, Exports: []string{abi.ExportSetDefaults, abi.ExportValidateCreate},
		Targets: []admission.Target{{
			GVK: inventoryv1alpha1.GroupVersion.WithKind("Item"), GVR: inventoryv1alpha1.GroupVersion.WithResource("items"),
			Namespaced: true, Validate: scope, Mutate: scope,
		}},
		FailurePolicy: pluginsv1alpha1.FailurePolicyFail, Timeout: 10 * time.Second,
	}
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
			value: resultOf(func(s *session) float64 { return s.admitted().added(p).Seconds() * millis }),
			note: func(s *session) string {
				return fmt.Sprintf("with the plugin %.2f ms · without %.2f ms",
					measure.Percentile(s.admitted().with, p).Seconds()*millis, measure.Percentile(s.admitted().without, p).Seconds()*millis)
			},
		}
	}
	return section{
		title: "Admission requests",
		note: fmt.Sprintf("One plugin that defaults a field and validates, so two webhooks: %d Items created one after another where it is asked, in turns with "+
			"as many where it is not. The guest, in WAT, hardly does anything; the rest is TLS, HTTP and the API server.", pairs),
		rows: []row{added(50), added(99)},
	}
}
