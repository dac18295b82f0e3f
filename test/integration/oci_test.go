// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/registry"
)

// loopback lets the operator connect to the registries of the tests.
func loopback(o *app.Options) { o.Registries.AllowedCIDRs = "127.0.0.0/8,::1" }

// fromRegistry makes an artifact the source of a plugin.
func fromRegistry(reference string, secrets ...string) func(*pluginsv1alpha1.WasmPluginSpec) {
	return func(s *pluginsv1alpha1.WasmPluginSpec) {
		s.Source = pluginsv1alpha1.Source{OCI: &pluginsv1alpha1.OCISource{Reference: reference, Insecure: true}}
		for _, name := range secrets {
			s.Source.OCI.PullSecrets = append(s.Source.OCI.PullSecrets, pluginsv1alpha1.PullSecret{Name: name})
		}
	}
}

// pullSecret creates a Secret with a credential for a registry.
func (n tenant) pullSecret(t *testing.T, name, registry, user string) {
	t.Helper()
	user, password, _ := strings.Cut(user, ":")
	n.Create(t, &corev1.Secret{ObjectMeta: n.Meta(name), Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{
		corev1.DockerConfigJsonKey: fmt.Appendf(nil, `{"auths":{%q:{"username":%q,"password":%q}}}`, registry, user, password),
	}})
}

// TestOperator_oci moves a plugin from a ConfigMap to a registry, follows its tag, and keeps it serving while the
// registry is down.
func TestOperator_oci(t *testing.T) {
	server := registry.Start(t, registry.Options{})
	metrics, configure := serveMetrics(t)
	o := startOperator(t, pollsOften, loopback, configure)
	shop := newTenant(t, o.env, annotatorRules()...)
	self := map[string]string{"plugin": shop.NS + "/annotator"}
	with := func(name, value string) map[string]string {
		return map[string]string{"plugin": self["plugin"], name: value}
	}
	module := conformanceFixture(t, "annotator.wasm")
	shop.Store(t, "annotator", module)
	shop.Plugin(t, "annotator")
	shop.ExpectReady(t, "annotator")
	pushed := server.Push(t, "plugins/annotator", "v1", module)
	reference := server.Address + "/plugins/annotator:v1"
	shop.change(t, "annotator", fromRegistry(reference))
	first := shop.expectArtifact(t, "annotator", pushed.String())
	if first.PulledAt.IsZero() || first.PulledAt.Before(&first.ResolvedAt) || first.PulledBytes <= int64(len(module)) || !first.LastPolledAt.IsZero() {
		t.Errorf("got %+v, want a pull of more than %d bytes, and no poll", first, len(module))
	}
	metrics.expect(t, "the pull is counted", "k1s_plugin_pulls_total", with("result", pluginsv1alpha1.ReasonSucceeded), exactly(1))
	metrics.expect(t, "with its bytes", "k1s_plugin_pulled_bytes_total", self, exactly(float64(first.PulledBytes)))
	metrics.expect(t, "and timed", "k1s_plugin_pull_duration_seconds_count", with("cached", "false"), exactly(1))
	shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionTrue, pluginsv1alpha1.ReasonSucceeded, reference, pushed.String())
	shop.category(t, "tools")
	shop.expectAnnotated(t, "tools")

	t.Log("a tag that has moved, with the digest that it has now")
	pinned := server.Push(t, "plugins/annotator", "v1", append(module[:len(module):len(module)], 0, 1, 0)) // with a custom section
	shop.change(t, "annotator", fromRegistry(reference+"@"+pinned.String()))
	shop.expectArtifact(t, "annotator", pinned.String())
	shop.change(t, "annotator", fromRegistry(reference))

	t.Log("a tag that moves")
	second := server.Push(t, "plugins/annotator", "v1", append(module[:len(module):len(module)], 0, 1, 0, 0, 1, 0))
	every := int32(1)
	shop.change(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) { s.Source.OCI.PollIntervalSeconds = &every })
	moved := shop.expectArtifact(t, "annotator", second.String())
	if moved.LastPolledAt.IsZero() || moved.PulledAt.Before(&first.PulledAt) {
		t.Errorf("got %+v, after %+v", moved, first)
	}
	metrics.expect(t, "polls that find nothing new are timed apart", "k1s_plugin_pull_duration_seconds_count", with("cached", "true"), atLeast(2))
	metrics.expect(t, "from pulls", "k1s_plugin_pull_duration_seconds_count", with("cached", "false"), exactly(3))
	polled := shop.expectPolled(t, "annotator", moved.LastPolledAt)
	if !polled.PulledAt.Equal(&moved.PulledAt) || polled.PullMillis != moved.PullMillis || polled.PulledBytes != moved.PulledBytes {
		t.Errorf("a poll changed the pull from %+v to %+v", moved, polled)
	}

	t.Log("a tag that does not exist")
	shop.change(t, "annotator", fromRegistry(server.Address+"/plugins/annotator:v9"))
	shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionFalse, pluginsv1alpha1.ReasonArtifactNotFound, "v9")
	shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionServing, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
	metrics.expect(t, "the failure is counted", "k1s_plugin_pulls_total", with("result", pluginsv1alpha1.ReasonArtifactNotFound), atLeast(1))
	shop.category(t, "toys")
	shop.expectAnnotated(t, "toys")

	t.Log("no registry")
	server.Kill()
	shop.change(t, "annotator", fromRegistry(reference))
	shop.expectArtifact(t, "annotator", second.String())
	shop.change(t, "annotator", fromRegistry(server.Address+"/plugins/other:v1"))
	shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionFalse, pluginsv1alpha1.ReasonRegistryUnavailable, "has no copy of it")
	shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionServing, metav1.ConditionTrue, pluginsv1alpha1.ReasonPreviousRevision)
	server.Run(t)
	shop.change(t, "annotator", fromRegistry(reference))
	shop.ExpectReady(t, "annotator")
}

// TestOperator_oci_tenants checks that a private module is served only to the tenant with the pull secret, although the
// operator has its bytes.
func TestOperator_oci_tenants(t *testing.T) {
	const user = "ada:secret"
	server := registry.Start(t, registry.Options{User: user})
	o := startOperator(t, pollsOften, loopback)
	reads := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}}
	friend, stranger := newTenant(t, o.env, append(annotatorRules(), reads)...), newTenant(t, o.env, annotatorRules()...)
	server.Push(t, "private", "v1", conformanceFixture(t, "annotator.wasm"))
	reference := server.Address + "/private:v1"
	friend.pullSecret(t, "registry", server.Address, user)
	friend.Plugin(t, "annotator", fromRegistry(reference, "registry"))
	friend.ExpectReady(t, "annotator")
	stranger.Plugin(t, "annotator", fromRegistry(reference))
	stranger.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionFalse, pluginsv1alpha1.ReasonUnauthorized, "pullSecrets")

	t.Log("a Secret that does not exist, that the ServiceAccount cannot read, and that has no credentials")
	stranger.change(t, "annotator", fromRegistry(reference, "registry"))
	stranger.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionFalse, pluginsv1alpha1.ReasonPullSecretForbidden, "create role")
	friend.change(t, "annotator", fromRegistry(reference, "missing"))
	friend.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionFalse, pluginsv1alpha1.ReasonPullSecretNotFound, "missing")
	friend.Create(t, &corev1.Secret{ObjectMeta: friend.Meta("opaque"), StringData: map[string]string{"password": "x"}})
	friend.change(t, "annotator", fromRegistry(reference, "opaque"))
	friend.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionFalse, pluginsv1alpha1.ReasonPullSecretInvalid, "opaque", ".dockerconfigjson")

	t.Log("the imagePullSecrets of the ServiceAccount")
	account := &corev1.ServiceAccount{ObjectMeta: friend.Meta("plugin")}
	if err := friend.Client.Patch(t.Context(), account, client.RawPatch(types.MergePatchType, []byte(`{"imagePullSecrets":[{"name":"registry"}]}`))); err != nil {
		t.Fatal(err)
	}
	friend.change(t, "annotator", fromRegistry(reference))
	friend.ExpectReady(t, "annotator")
}

// expectArtifact waits until a plugin is ready with an artifact, and returns its status.
func (n tenant) expectArtifact(t *testing.T, plugin, digest string) pluginsv1alpha1.ArtifactStatus {
	t.Helper()
	n.ExpectReady(t, plugin)
	return n.eventuallyArtifact(t, plugin, "the artifact is "+digest, func(a pluginsv1alpha1.ArtifactStatus) bool {
		return a.Digest == digest && a.Format != "" && !a.ResolvedAt.IsZero()
	})
}

// expectPolled waits until the tag of a plugin was polled after a time.
func (n tenant) expectPolled(t *testing.T, plugin string, after metav1.Time) pluginsv1alpha1.ArtifactStatus {
	t.Helper()
	return n.eventuallyArtifact(t, plugin, "the tag is polled", func(a pluginsv1alpha1.ArtifactStatus) bool { return after.Before(&a.LastPolledAt) })
}

// eventuallyArtifact waits until the status of a plugin's artifact meets the condition.
func (n tenant) eventuallyArtifact(t *testing.T, plugin, what string, good func(pluginsv1alpha1.ArtifactStatus) bool) (got pluginsv1alpha1.ArtifactStatus) {
	t.Helper()
	testenv.Eventually(t, what, func(ctx context.Context) error {
		wp, err := n.GetPlugin(ctx, plugin)
		if err != nil {
			return err
		}
		if a := wp.Status.Artifact; a == nil || !good(*a) {
			return fmt.Errorf("got %+v", a)
		}
		got = *wp.Status.Artifact
		return nil
	})
	return got
}

// TestOperator_oci_restart kills the registry and restarts the operator: with the volume of its cache everything serves,
// although the cache is over its limit, and without it the condition says why not.
func TestOperator_oci_restart(t *testing.T) {
	server := registry.Start(t, registry.Options{})
	o := startOperator(t, pollsOften, loopback, func(o *app.Options) { o.MaxCacheBytes = 1 })
	shop := newTenant(t, o.env, annotatorRules()...)
	pushed := server.Push(t, "annotator", "latest", conformanceFixture(t, "annotator.wasm"))
	shop.Plugin(t, "annotator", fromRegistry(server.Address+"/annotator")) // which is polled
	before := shop.expectArtifact(t, "annotator", pushed.String())
	server.Kill()
	o.end(t)
	testenv.Eventually(t, "times in seconds differ", func(context.Context) error {
		if time.Since(before.ResolvedAt.Time) < time.Second {
			return errors.New("they do not yet")
		}
		return nil
	})
	o.start(t)
	after := shop.expectPolled(t, "annotator", before.ResolvedAt)
	if after.LastPolledAt = before.LastPolledAt; after != before {
		t.Errorf("the restart changed the artifact from %+v to %+v", before, after)
	}
	shop.category(t, "tools")
	shop.expectAnnotated(t, "tools")
	shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionTrue, pluginsv1alpha1.ReasonSucceeded,
		"the last request to the registry failed")

	t.Log("another volume")
	o.end(t)
	o.cache = t.TempDir()
	o.start(t)
	shop.ExpectCondition(t, "annotator", pluginsv1alpha1.ConditionFetched, metav1.ConditionFalse, pluginsv1alpha1.ReasonRegistryUnavailable,
		"the operator's cache (--cache-dir) has no copy of it")
	server.Run(t)
	shop.expectArtifact(t, "annotator", pushed.String())
}
