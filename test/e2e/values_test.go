// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/k1s-io/k1s/internal/testenv/table"
)

// valuesCase has values of the chart, and their effect.
type valuesCase struct {
	Name   string
	Values table.JSON
	// Args are flags of the operator, and NoArgs are beginnings of flags that it does not have.
	Args, NoArgs []string
	// Present are objects, and Absent are parts of the names of objects that are not there.
	Present, Absent []string
	Image           string
	// Impersonators are the roles with the verb impersonate, if that is what the case is about.
	Impersonators []string
}

func (c valuesCase) check(t *testing.T, all objects) {
	t.Helper()
	manager := container(t, all)
	for _, flag := range c.Args {
		if !slices.Contains(manager.Args, flag) {
			t.Errorf("args are %q, without %q", manager.Args, flag)
		}
	}
	for _, flag := range c.NoArgs {
		if slices.ContainsFunc(manager.Args, func(arg string) bool { return strings.HasPrefix(arg, flag) }) {
			t.Errorf("args are %q, with %q", manager.Args, flag)
		}
	}
	for _, key := range c.Present {
		present(t, all, key)
	}
	for key := range all {
		if slices.ContainsFunc(c.Absent, func(part string) bool { return strings.Contains(key, part) }) {
			t.Errorf("there is a %s", key)
		}
	}
	if c.Image != "" && manager.Image != c.Image {
		t.Errorf("image is %q, want %q", manager.Image, c.Image)
	}
	if got := impersonates(t, all); c.Impersonators != nil && !slices.Equal(got, c.Impersonators) {
		t.Errorf("the right to impersonate is in %q, want %q", got, c.Impersonators)
	}
}

// TestChart_values checks the effect of every value that is not simply copied.
func TestChart_values(t *testing.T) {
	t.Parallel()
	for _, tc := range table.Read[valuesCase](t, "values.yaml") {
		t.Run(tc.Name, func(t *testing.T) {
			t.Parallel()
			tc.check(t, mustRender(t, string(tc.Values)))
		})
	}
	for name, tc := range map[string]struct {
		values string
		check  func(*testing.T, objects)
	}{
		"webhooks that are off leave nothing behind, and the operator does without Secrets": {
			values: `webhook: {enabled: false}`,
			check: func(t *testing.T, all objects) {
				for _, key := range []string{"Service k1s-webhook", "ValidatingWebhookConfiguration k1s", "Certificate k1s-webhook"} {
					absent(t, all, key)
				}
				if c := container(t, all); !slices.Contains(c.Args, "--webhook-bind-address=0") || strings.Contains(fmt.Sprint(c.Ports), "9443") {
					t.Errorf("args are %q, ports %v", c.Args, c.Ports)
				}
				if got := secretRules(t, all); len(got) > 0 {
					t.Errorf("it has rights on Secrets: %v", got)
				}
			},
		},
		"the operator makes the certificate": {
			check: func(t *testing.T, all objects) {
				absent(t, all, "Certificate k1s-webhook")
				if len(all["ValidatingWebhookConfiguration k1s"].GetAnnotations()) > 0 {
					t.Error("somebody else is asked to fill caBundle in")
				}
			},
		},
		"cert-manager makes the certificate, and the operator can but read it": {
			values: `webhook: {certManager: {enabled: true, issuerRef: {name: ca, kind: ClusterIssuer}}}`,
			check: func(t *testing.T, all objects) {
				spec, _, _ := unstructured.NestedMap(all["Certificate k1s-webhook"].Object, "spec")
				want := map[string]any{
					"secretName": "k1s-webhook-cert",
					"dnsNames":   []any{"k1s-webhook.k1s-system.svc", "k1s-webhook.k1s-system.svc.cluster.local"},
					"issuerRef":  map[string]any{"name": "ca", "kind": "ClusterIssuer"},
					"privateKey": map[string]any{"rotationPolicy": "Always"},
				}
				if diff := cmp.Diff(want, spec); diff != "" {
					t.Errorf("Certificate, -want +got:\n%s", diff)
				}
				if got := all["ValidatingWebhookConfiguration k1s"].GetAnnotations()["cert-manager.io/inject-ca-from"]; got != "k1s-system/k1s-webhook" {
					t.Errorf("caBundle is filled in from %q", got)
				}
				if args := container(t, all).Args; !slices.Contains(args, "--webhook-certs=secret") {
					t.Errorf("args are %q", args)
				}
				rules := []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"k1s-webhook-cert"}, Verbs: []string{"list", "watch"}}}
				if diff := cmp.Diff(rules, secretRules(t, all)); diff != "" {
					t.Errorf("rights on Secrets, -want +got:\n%s", diff)
				}
			},
		},
		"WasmPlugins may have to be looked at": {
			values: `webhook: {wasmplugins: {failurePolicy: Fail}}`,
			check: func(t *testing.T, all objects) {
				for _, w := range as[admissionregistrationv1.ValidatingWebhookConfiguration](t, all, "ValidatingWebhookConfiguration k1s").Webhooks {
					if *w.FailurePolicy != admissionregistrationv1.Fail {
						t.Errorf("%s: %s", w.Name, *w.FailurePolicy)
					}
				}
			},
		},
		"readers of metrics are bound": {
			values: `metrics: {readers: [{namespace: monitoring, name: prometheus}]}`,
			check: func(t *testing.T, all objects) {
				got := as[rbacv1.ClusterRoleBinding](t, all, "ClusterRoleBinding k1s-metrics-reader").Subjects
				if diff := cmp.Diff([]rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "monitoring", Name: "prometheus"}}, got); diff != "" {
					t.Errorf("subjects, -want +got:\n%s", diff)
				}
			},
		},
		"a plugin directory is mounted read-only, and the operator told": {
			values: `pluginDirectory: {volume: {persistentVolumeClaim: {claimName: plugins}}}`,
			check: func(t *testing.T, all objects) {
				c := container(t, all)
				mounted := slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool {
					return m.Name == "plugins" && m.MountPath == "/plugins" && m.ReadOnly
				})
				if !mounted || !slices.Contains(c.Args, "--plugin-dir=/plugins") {
					t.Errorf("mounts are %v, args %q", c.VolumeMounts, c.Args)
				}
			},
		},
		"another compile cache takes the emptyDir's place": {
			values: `compileCache: {volume: {persistentVolumeClaim: {claimName: compiled}}}`,
			check: func(t *testing.T, all objects) {
				got := slices.DeleteFunc(as[appsv1.Deployment](t, all, "Deployment k1s-manager").Spec.Template.Spec.Volumes,
					func(v corev1.Volume) bool { return v.Name == "tmp" })
				want := []corev1.Volume{{Name: "compiled", VolumeSource: corev1.VolumeSource{
					PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "compiled"},
				}}}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("volumes, -want +got:\n%s", diff)
				}
			},
		},
		"more watched types are aggregated": {
			values: `watchedTypes: [{apiGroups: [""], resources: [configmaps]}, {apiGroups: [apps], resources: [deployments], finalize: true}]`,
			check: func(t *testing.T, all objects) {
				role := as[rbacv1.ClusterRole](t, all, "ClusterRole k1s-watch-more")
				verbs := []string{"list", "watch"}
				want := []rbacv1.PolicyRule{
					{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: verbs},
					{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: []string{"list", "watch", "patch"}},
				}
				if diff := cmp.Diff(want, role.Rules); diff != "" {
					t.Errorf("rules, -want +got:\n%s", diff)
				}
				if role.Labels["plugins.k1s.io/aggregate-to-watch"] != "true" {
					t.Errorf("labels are %v", role.Labels)
				}
			},
		},
		"impersonation can be kept to namespaces": {
			values: `impersonation: {namespaces: [shop, stock]}`,
			check: func(t *testing.T, all objects) {
				want := []string{
					"ClusterRole k1s-manager userextras/plugins.k1s.io/own-write",
					"Role k1s-impersonation in shop serviceaccounts", "Role k1s-impersonation in stock serviceaccounts",
				}
				if where := impersonates(t, all); !slices.Equal(where, want) {
					t.Errorf("the right to impersonate is in %q, want %q", where, want)
				}
				present(t, all, "RoleBinding k1s-impersonation in shop")
				// The other permissions for ServiceAccounts stay.
				rules := as[rbacv1.ClusterRole](t, all, "ClusterRole k1s-manager").Rules
				if !slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool { return slices.Contains(r.Resources, "serviceaccounts") }) {
					t.Errorf("the ClusterRole says nothing of serviceaccounts any more: %v", rules)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.check(t, mustRender(t, tc.values))
		})
	}
}

// TestChart_schema checks that invalid values are rejected and not ignored.
func TestChart_schema(t *testing.T) {
	t.Parallel()
	type invalid struct {
		Name, Want string
		Values     table.JSON
	}
	for _, tc := range table.Read[invalid](t, "invalid.yaml") {
		t.Run(tc.Name, func(t *testing.T) {
			t.Parallel()
			if _, err := render(t, string(tc.Values)); err == nil || !strings.Contains(err.Error(), tc.Want) {
				t.Errorf("error is %v, want one about %q", err, tc.Want)
			}
		})
	}
}

// TestChart_partOfAnother renders the chart with the values that Helm adds for a subchart.
func TestChart_partOfAnother(t *testing.T) {
	t.Parallel()
	present(t, mustRender(t, `global: {imageRegistry: r.example}`), "Deployment k1s-manager")
}

// secretRules returns the operator's permissions for Secrets in its own namespace.
func secretRules(t *testing.T, all objects) []rbacv1.PolicyRule {
	t.Helper()
	return slices.DeleteFunc(as[rbacv1.Role](t, all, "Role k1s-manager").Rules, func(r rbacv1.PolicyRule) bool { return !slices.Contains(r.Resources, "secrets") })
}

func container(t *testing.T, all objects) corev1.Container {
	t.Helper()
	return as[appsv1.Deployment](t, all, "Deployment k1s-manager").Spec.Template.Spec.Containers[0]
}

func present(t *testing.T, all objects, key string) {
	t.Helper()
	if all[key] == nil {
		t.Errorf("there is no %s", key)
	}
}

func absent(t *testing.T, all objects, key string) {
	t.Helper()
	if all[key] != nil {
		t.Errorf("there is a %s", key)
	}
}

// impersonates returns the roles with the verb impersonate, and their resources.
func impersonates(t *testing.T, all objects) []string {
	t.Helper()
	var where []string
	for key := range all {
		var rules []rbacv1.PolicyRule
		switch {
		case strings.HasPrefix(key, "ClusterRole "):
			rules = as[rbacv1.ClusterRole](t, all, key).Rules
		case strings.HasPrefix(key, "Role "):
			rules = as[rbacv1.Role](t, all, key).Rules
		}
		for _, r := range rules {
			if !slices.Contains(r.Verbs, "impersonate") {
				continue
			}
			for _, resource := range r.Resources {
				what := key + " " + resource
				if len(r.ResourceNames) > 0 {
					what += " " + strings.Join(r.ResourceNames, ",")
				}
				where = append(where, what)
			}
		}
	}
	slices.Sort(where)
	return where
}
