// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"testing"

	"k8s.io/utils/clock"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// files is a plugin directory with one module.
type files struct{ module plugin.Module }

func (f files) Fetch(context.Context, string) (plugin.Module, error) { return f.module, nil }

func TestFetch(t *testing.T) {
	t.Parallel()
	module := plugin.Module{Bytes: []byte("\x00asm"), Digest: plugin.DigestOf([]byte("\x00asm"))}
	configMap := pluginsv1alpha1.Source{ConfigMap: &pluginsv1alpha1.ConfigMapSource{Name: "module", Key: "plugin.wasm"}}
	for name, tt := range map[string]struct {
		source   pluginsv1alpha1.Source
		err      error // of the ConfigMap
		reason   string
		recovery recovery
		want     string // the name of the source
	}{
		"ConfigMap":         {configMap, nil, "", 0, "configmap/module/plugin.wasm"},
		"missing ConfigMap": {configMap, plugin.Reject(pluginsv1alpha1.ReasonConfigMapNotFound, "why"), pluginsv1alpha1.ReasonConfigMapNotFound, wait, ""},
		"no answer":         {configMap, errUnavailable, pluginsv1alpha1.ReasonSourceUnavailable, retry, ""},
		"file":              {pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: "a.wasm"}}, nil, "", 0, "file/a.wasm"},
		"no source":         {pluginsv1alpha1.Source{}, nil, pluginsv1alpha1.ReasonSourceUnavailable, retry, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := loadOf(t, func(s *pluginsv1alpha1.WasmPluginSpec) { s.Source = tt.source })
			phase := fetch{files: files{module}, oci: fetchOCI{artifacts: &fakeArtifacts{}}, clock: clock.RealClock{}, configMaps: fetching(func(context.Context) error { return tt.err })}
			p := phase.run(t.Context(), l)
			switch {
			case tt.reason == "" && (p != nil || l.source != tt.want):
				t.Errorf("got %v from %q", p, l.source)
			case tt.reason != "" && (p == nil || p.reason != tt.reason || p.recovery != tt.recovery || p.condition != pluginsv1alpha1.ConditionFetched):
				t.Errorf("got %+v", p)
			}
		})
	}
}
