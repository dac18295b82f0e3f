// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

// TestChart_values says of every value that does more than to be copied what it does.
func TestChart_values(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		values string
		check  func(*testing.T, objects)
	}{
		"one replica needs no PodDisruptionBudget": {
			values: `replicas: 1`,
			check:  func(t *testing.T, all objects) { absent(t, all, "PodDisruptionBudget k1s-manager") },
		},
		"two replicas have a PodDisruptionBudget": {
			values: `replicas: 2`,
			check:  func(t *testing.T, all objects) { present(t, all, "PodDisruptionBudget k1s-manager") },
		},
		"a digest wins over a tag": {
			values: `image: {repository: r.example/k1s, tag: v1, digest: "sha256:` + strings.Repeat("0a", 32) + `"}`,
			check: func(t *testing.T, all objects) {
				if got, want := container(t, all).Image, "r.example/k1s@sha256:"+strings.Repeat("0a", 32); got != want {
					t.Errorf("image is %q, want %q", got, want)
				}
			},
		},
		"metrics that are off leave nothing behind": {
			values: `metrics: {enabled: false, readers: [{namespace: monitoring, name: prometheus}], serviceMonitor: {enabled: true}}`,
			check: func(t *testing.T, all objects) {
				for key := range all {
					if strings.Contains(key, "metrics") {
						t.Errorf("there is a %s", key)
					}
				}
				if !slices.Contains(container(t, all).Args, "--metrics-bind-address=0") {
					t.Errorf("args are %q", container(t, all).Args)
				}
			},
		},
		"records of what plugins do can be left out": {
			values: `audit: {enabled: false}`,
			check: func(t *testing.T, all objects) {
				if args := container(t, all).Args; slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "--audit-log") }) {
					t.Errorf("args are %q", args)
				}
			},
		},
		"a ServiceMonitor only if asked for": {
			check: func(t *testing.T, all objects) { absent(t, all, "ServiceMonitor k1s-metrics") },
		},
		"a ServiceMonitor if asked for": {
			values: `metrics: {serviceMonitor: {enabled: true, labels: {team: a}, interval: 30s}}`,
			check:  func(t *testing.T, all objects) { present(t, all, "ServiceMonitor k1s-metrics") },
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
				got := as[appsv1.Deployment](t, all, "Deployment k1s-manager").Spec.Template.Spec.Volumes
				want := []corev1.Volume{{Name: "compiled", VolumeSource: corev1.VolumeSource{
					PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "compiled"},
				}}}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("volumes, -want +got:\n%s", diff)
				}
			},
		},
		"more watched types are aggregated": {
			values: `watchedTypes: [{apiGroups: [""], resources: [configmaps]}, {apiGroups: [apps], resources: [deployments]}]`,
			check: func(t *testing.T, all objects) {
				role := as[rbacv1.ClusterRole](t, all, "ClusterRole k1s-watch-more")
				verbs := []string{"list", "watch"}
				want := []rbacv1.PolicyRule{
					{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: verbs},
					{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: verbs},
				}
				if diff := cmp.Diff(want, role.Rules); diff != "" {
					t.Errorf("rules, -want +got:\n%s", diff)
				}
				if role.Labels["plugins.k1s.io/aggregate-to-watch"] != "true" {
					t.Errorf("labels are %v", role.Labels)
				}
			},
		},
		"user roles can be left out": {
			values: `userRoles: {aggregate: false}`,
			check:  func(t *testing.T, all objects) { absent(t, all, "ClusterRole k1s-wasmplugin-editor") },
		},
		"impersonation can be kept to namespaces": {
			values: `impersonation: {namespaces: [shop, stock]}`,
			check: func(t *testing.T, all objects) {
				var where []string
				for key, o := range all {
					if text, _ := o.MarshalJSON(); strings.Contains(string(text), `"impersonate"`) {
						where = append(where, key)
					}
				}
				slices.Sort(where)
				if want := []string{"Role k1s-impersonation in shop", "Role k1s-impersonation in stock"}; !slices.Equal(where, want) {
					t.Errorf("the right to impersonate is in %q, want %q", where, want)
				}
				present(t, all, "RoleBinding k1s-impersonation in shop")
				// Its other rights on ServiceAccounts stay.
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

// TestChart_schema shows that a mistake is refused, not passed over.
func TestChart_schema(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ values, want string }{
		"an unknown value":            {values: `replica: 2`, want: "replica"},
		"an unknown value further in": {values: `image: {name: x}`, want: "name"},
		"no replica at all":           {values: `replicas: 0`, want: "replicas"},
		"a number where text belongs": {values: `image: {tag: 1.0}`, want: "tag"},
		"a digest that is none":       {values: `image: {digest: latest}`, want: "digest"},
		"a level that is none":        {values: `log: {level: loud}`, want: "level"},
		"two volumes in one":          {values: `compileCache: {volume: {emptyDir: {}, hostPath: {path: /x}}}`, want: "volume"},
		"a watched type of no group":  {values: `watchedTypes: [{resources: [pods]}]`, want: "apiGroups"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := render(t, tc.values); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error is %v, want one about %q", err, tc.want)
			}
		})
	}
}

// TestChart_partOfAnother renders with what Helm adds for a chart that is a part of another one.
func TestChart_partOfAnother(t *testing.T) {
	t.Parallel()
	present(t, mustRender(t, `global: {imageRegistry: r.example}`), "Deployment k1s-manager")
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
