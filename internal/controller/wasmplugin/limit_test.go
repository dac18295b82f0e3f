// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
)

// listing is a client with the WasmPlugins of a namespace.
type listing struct {
	client.Reader

	plugins []pluginsv1alpha1.WasmPlugin
}

func (c listing) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*pluginsv1alpha1.WasmPluginList).Items = c.plugins
	return nil
}

// TestLimit_number shows that the oldest plugins of a namespace are loaded, without those that are suspended or being
// deleted.
func TestLimit_number(t *testing.T) {
	t.Parallel()
	at := func(name string, minute int, change ...func(*pluginsv1alpha1.WasmPlugin)) pluginsv1alpha1.WasmPlugin {
		wp := pluginsv1alpha1.WasmPlugin{ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: name, CreationTimestamp: metav1.NewTime(time.Unix(0, 0).Add(time.Duration(minute) * time.Minute)),
		}}
		for _, c := range change {
			c(&wp)
		}
		return wp
	}
	suspended := func(wp *pluginsv1alpha1.WasmPlugin) { wp.Spec.Suspend = true }
	deleted := func(wp *pluginsv1alpha1.WasmPlugin) { wp.DeletionTimestamp = new(metav1.Now()) }
	for name, tt := range map[string]struct {
		others   []pluginsv1alpha1.WasmPlugin
		rejected bool
	}{
		"alone":                     {nil, false},
		"below the limit":           {[]pluginsv1alpha1.WasmPlugin{at("older", 0)}, false},
		"among the oldest":          {[]pluginsv1alpha1.WasmPlugin{at("older", 0), at("younger", 2)}, false},
		"the youngest":              {[]pluginsv1alpha1.WasmPlugin{at("older", 0), at("old", 0)}, true},
		"as old, and first by name": {[]pluginsv1alpha1.WasmPlugin{at("older", 0), at("z", 1)}, false},
		"as old, and last by name":  {[]pluginsv1alpha1.WasmPlugin{at("older", 0), at("a", 1)}, true},
		"others are suspended":      {[]pluginsv1alpha1.WasmPlugin{at("older", 0), at("old", 0, suspended)}, false},
		"others are deleted":        {[]pluginsv1alpha1.WasmPlugin{at("older", 0), at("old", 0, deleted)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := loadOf(t, nil)
			phase := limit{client: listing{plugins: append(tt.others, at(l.name.Name, 1))}, ceilings: plan.Ceilings{MaxNamespacePlugins: 2}}
			p := phase.run(t.Context(), l)
			if (p != nil) != tt.rejected || p != nil && p.reason != pluginsv1alpha1.ReasonLimitExceeded {
				t.Errorf("got %v, want rejected: %t", p, tt.rejected)
			}
		})
	}
}
