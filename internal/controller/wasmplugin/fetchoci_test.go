// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/oci"
)

// accountReader has a ServiceAccount with imagePullSecrets.
type accountReader struct {
	client.Reader

	pullSecrets []string
}

// Get implements client.Reader.
func (r accountReader) Get(_ context.Context, _ client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	for _, name := range r.pullSecrets {
		account := o.(*corev1.ServiceAccount) //nolint:forcetypeassert // nothing else is read
		account.ImagePullSecrets = append(account.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
	return nil
}

// TestFetchOCI_imagePullSecrets shows that the artifact may be public if Secrets of the ServiceAccount cannot be used, but
// that nothing is pulled without a credential that the API server only failed to give.
func TestFetchOCI_imagePullSecrets(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		secrets []string
		pulls   bool
	}{
		"usable":            {[]string{"registry"}, true},
		"missing":           {[]string{"missing", "registry"}, true},
		"no credentials":    {[]string{"empty"}, true},
		"no answer":         {[]string{"unavailable"}, false},
		"one has no answer": {[]string{"registry", "unavailable"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := pluginsv1alpha1.OCISource{Reference: "registry.example/plugins/one:v1"}
			l := loadOf(t, func(s *pluginsv1alpha1.WasmPluginSpec) { s.Source = pluginsv1alpha1.Source{OCI: &source} })
			artifacts := &fakeArtifacts{}
			secrets := fakeSecrets{reads: map[string]int{}, secrets: map[string]map[string][]byte{
				"registry": {corev1.DockerConfigJsonKey: []byte(`{"auths":{"registry.example":{"username":"ada","password":"secret"}}}`)}, "empty": {},
			}}
			f := fetchOCI{artifacts: artifacts, reader: accountReader{pullSecrets: tt.secrets}, secrets: secrets}
			_, err := f.run(t.Context(), l, source)
			if pulled := len(artifacts.requests) > 0; pulled != tt.pulls || (err == nil) != tt.pulls {
				t.Errorf("it is pulled: %t, %v", pulled, err)
			}
		})
	}
}

func TestArtifactStatus(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 28, 12, 0, 0, 999, time.UTC)
	at := func(minutes int) metav1.Time {
		return metav1.NewTime(start.Truncate(time.Second).Add(time.Duration(minutes) * time.Minute))
	}
	one, two := digest.FromString("one"), digest.FromString("two")
	pull := oci.Pull{At: start, Took: 1500 * time.Millisecond, Bytes: 7}
	stored := pluginsv1alpha1.ArtifactStatus{Digest: one.String(), PulledAt: at(0), PullMillis: 1500, PulledBytes: 7, ResolvedAt: at(0)}
	with := func(change func(*pluginsv1alpha1.ArtifactStatus)) *pluginsv1alpha1.ArtifactStatus {
		out := stored
		change(&out)
		return &out
	}
	polledAt := func(minutes int) func(*pluginsv1alpha1.ArtifactStatus) {
		return func(s *pluginsv1alpha1.ArtifactStatus) { s.LastPolledAt = at(minutes) }
	}
	for name, tc := range map[string]struct {
		result oci.Result
		old    *pluginsv1alpha1.ArtifactStatus
		want   *pluginsv1alpha1.ArtifactStatus
	}{
		"pulled": {oci.Result{Artifact: oci.Artifact{Digest: one, Pull: pull, ResolvedAt: start}}, nil, &stored},
		"polled": {
			oci.Result{Artifact: oci.Artifact{Digest: one, Pull: pull, ResolvedAt: start}, PolledAt: start.Add(time.Minute)},
			&stored, with(polledAt(1)),
		},
		"restarted after a poll that failed": {
			oci.Result{Artifact: oci.Artifact{Digest: one, Pull: pull, ResolvedAt: start}, PolledAt: start},
			with(polledAt(2)), with(polledAt(2)),
		},
		"not polled any more": {oci.Result{Artifact: oci.Artifact{Digest: one, Pull: pull, ResolvedAt: start}}, with(polledAt(2)), &stored},
		"another credential":  {oci.Result{Artifact: oci.Artifact{Digest: one, ResolvedAt: start}}, &stored, &stored},
		"another artifact, which the cache has": {
			oci.Result{Artifact: oci.Artifact{Digest: two, ResolvedAt: start}, PolledAt: start},
			with(polledAt(2)), &pluginsv1alpha1.ArtifactStatus{Digest: two.String(), ResolvedAt: at(0), LastPolledAt: at(0)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, artifactStatus(tc.result, tc.old)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestFetchOCI_failedPoll shows that the status of the previous revision's artifact has a poll that failed.
func TestFetchOCI_failedPoll(t *testing.T) {
	t.Parallel()
	start := metav1.NewTime(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC))
	later := metav1.NewTime(start.Add(time.Hour))
	old := pluginsv1alpha1.ArtifactStatus{Digest: digest.FromString("one").String(), PulledAt: start, PulledBytes: 7, ResolvedAt: start, LastPolledAt: start}
	polled := old
	polled.LastPolledAt = later
	for name, tc := range map[string]struct {
		at   time.Time
		want *pluginsv1alpha1.ArtifactStatus
	}{
		"polled":     {later.Time, &polled},
		"not polled": {time.Time{}, &old},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := pluginsv1alpha1.OCISource{Reference: "registry.example/one:latest"}
			l := loadOf(t, func(s *pluginsv1alpha1.WasmPluginSpec) { s.Source.OCI = &source })
			l.plugin.Status.Artifact = old.DeepCopy()
			failing := &fakeArtifacts{result: oci.Result{PolledAt: tc.at}, err: plugin.Reject(pluginsv1alpha1.ReasonUnauthorized, "why")}
			if _, err := (fetchOCI{artifacts: failing, reader: fakeClient{empty: true}}).run(t.Context(), l, source); err == nil {
				t.Error("there is no error")
			}
			if diff := cmp.Diff(tc.want, l.plugin.Status.Artifact); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
