// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestChart_rights checks that the chart grants the same permissions as config/rbac, with which the other tests run.
// Its role.yaml is generated from the code.
func TestChart_rights(t *testing.T) {
	t.Parallel()
	want := rights(read(t, "config/rbac"))
	got := rights(mustRender(t, ""))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the chart's rights are not those of config/rbac (after a change of RBAC markers: make manifests); -config +chart:\n%s", diff)
	}
	if _, ok := want["ClusterRole k1s-manager"]; !ok {
		t.Errorf("config/rbac has no ClusterRole k1s-manager: the test checks nothing; has it another name?")
	}
}

// rights returns the RBAC objects and ServiceAccounts, reduced to what determines permissions.
func rights(all objects) map[string]map[string]any {
	out := map[string]map[string]any{}
	for key, o := range all {
		if o.GetAPIVersion() != "rbac.authorization.k8s.io/v1" && o.GetKind() != "ServiceAccount" {
			continue
		}
		matters := maps.Clone(o.Object)
		delete(matters, "metadata")
		matters["aggregation labels"] = aggregation(o)
		out[key] = matters
	}
	return out
}

// aggregation returns the labels that aggregate a ClusterRole into others.
func aggregation(o *unstructured.Unstructured) []string {
	var labels []string
	for key := range o.GetLabels() {
		if strings.Contains(key, "/aggregate-to-") {
			labels = append(labels, key)
		}
	}
	slices.Sort(labels)
	return labels
}

// TestChart_pod checks that both ways to install the operator create the same Pod.
func TestChart_pod(t *testing.T) {
	t.Parallel()
	const deployment, container = "Deployment k1s-manager", 0
	want := as[appsv1.Deployment](t, read(t, "config/manager"), deployment).Spec.Template.Spec
	got := as[appsv1.Deployment](t, mustRender(t, ""), deployment).Spec.Template.Spec

	c := &got.Containers[container]
	if c.Image != "ghcr.io/k1s-io/k1s:0.1.0" { // as in config/manager/kustomization.yaml
		t.Errorf("image is %q", c.Image)
	}
	// Only the chart has these fields, because only there can they be configured.
	c.Image, c.ImagePullPolicy = want.Containers[container].Image, ""
	c.Args = slices.DeleteFunc(c.Args, func(arg string) bool { return strings.HasPrefix(arg, "--zap-") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the chart's Pod is not that of config/manager; -config +chart:\n%s", diff)
	}
}

func TestChart_metricsService(t *testing.T) {
	t.Parallel()
	sameService(t, "Service k1s-metrics", "config/manager")
}

func TestChart_webhookService(t *testing.T) {
	t.Parallel()
	sameService(t, "Service k1s-webhook", "config/webhook")
}

func TestChart_webhookConfiguration(t *testing.T) {
	t.Parallel()
	const configuration = "ValidatingWebhookConfiguration k1s"
	want := as[admissionregistrationv1.ValidatingWebhookConfiguration](t, read(t, "config/webhook"), configuration).Webhooks
	got := as[admissionregistrationv1.ValidatingWebhookConfiguration](t, mustRender(t, ""), configuration).Webhooks
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the chart's webhooks are not those of config/webhook; -config +chart:\n%s", diff)
	}
}

// sameService compares a Service of the chart with that of a folder.
func sameService(t *testing.T, service, folder string) {
	t.Helper()
	want := as[corev1.Service](t, read(t, folder), service).Spec
	all := mustRender(t, "")
	got := as[corev1.Service](t, all, service).Spec
	pod := as[appsv1.Deployment](t, all, "Deployment k1s-manager").Spec.Template
	for key, value := range got.Selector {
		if pod.Labels[key] != value {
			t.Errorf("the Service selects %s=%s, the Pod's label is %q", key, value, pod.Labels[key])
		}
	}
	got.Selector, want.Selector = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the chart's Service is not that of %s; -config +chart:\n%s", folder, diff)
	}
}
