// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
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
