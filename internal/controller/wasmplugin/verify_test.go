// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// describing is an Engine that describes every module as the same plugin, and counts how often.
type describing struct {
	Engine

	calls *int
}

func (e describing) Describe(context.Context, plugin.Module, plugin.Limits) (plugin.Metadata, error) {
	*e.calls++
	return plugin.Metadata{
		Name: "validator", Version: "v1.0.0", Capabilities: []plugin.Capability{plugin.CapabilityReconcile}, ForTypes: []schema.GroupVersionKind{item()},
	}, nil
}

func TestVerify(t *testing.T) {
	t.Parallel()
	module := plugin.Module{Bytes: []byte("\x00asm"), Digest: plugin.DigestOf([]byte("\x00asm"))}
	for name, tt := range map[string]struct {
		pin       string
		serving   plugin.Digest // of the serving revision; empty means that there is none
		leader    bool
		reason    string
		calls     int
		isStandby bool
	}{
		"first load":                     {"", "", true, "", 1, false},
		"another module than before":     {"", "other", true, "", 1, false},
		"the module that serves already": {"", module.Digest, true, "", 0, false},
		"the pinned module":              {string(module.Digest), "", true, "", 1, false},
		"another one than is pinned":     {"other", "", true, pluginsv1alpha1.ReasonDigestMismatch, 0, false},
		"on another replica":             {"", "", false, "", 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := loadOf(t, func(s *pluginsv1alpha1.WasmPluginSpec) { s.SHA256 = tt.pin })
			l.module = module
			if tt.serving != "" {
				l.current = revisionOf(l, string(tt.serving))
			}
			calls := 0
			phase := verify{engine: describing{calls: &calls}, clock: clock.RealClock{}, replica: &replica{}}
			phase.replica.leader.Store(tt.leader)
			p := phase.run(t.Context(), l)
			if (p != nil) != (tt.reason != "") || p != nil && p.reason != tt.reason {
				t.Errorf("got %v", p)
			}
			if calls != tt.calls || l.isStandby != tt.isStandby {
				t.Errorf("described %d times, standby: %t", calls, l.isStandby)
			}
		})
	}
}
