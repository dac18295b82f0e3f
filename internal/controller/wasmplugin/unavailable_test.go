// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// clientWithPlugin is a client that has one WasmPlugin.
type clientWithPlugin struct {
	client.Client

	plugin *pluginsv1alpha1.WasmPlugin
}

func (s clientWithPlugin) Get(_ context.Context, _ client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	s.plugin.DeepCopyInto(into.(*pluginsv1alpha1.WasmPlugin))
	return nil
}

// TestUnavailable_module shows that a plugin whose module is broken does not block the request that fixes
// it.
func TestUnavailable_module(t *testing.T) {
	t.Parallel()
	wp := &pluginsv1alpha1.WasmPlugin{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "policy"}}
	name := types.NamespacedName{Namespace: "shop", Name: "policy"}
	wp.Spec.Source.ConfigMap = &pluginsv1alpha1.ConfigMapSource{Name: "module"}
	u := Unavailable{Client: clientWithPlugin{plugin: wp}, Revisions: NewRevisions(nil, clock.RealClock{})}
	if got, want := u.Plugin(t.Context(), name).Module, (types.NamespacedName{Namespace: "shop", Name: "module"}); got != want {
		t.Errorf("the module is in %v, want %v", got, want)
	}
	wp.Spec.Source = pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: "policy.wasm"}}
	if got := u.Plugin(t.Context(), name).Module; got != (types.NamespacedName{}) {
		t.Errorf("the module is in %v, want no ConfigMap", got)
	}
}
