// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// TestSwap_announces shows that a revision is not called for what only the previous revision had, even if the rest of
// the load takes long or fails.
func TestSwap_announces(t *testing.T) {
	t.Parallel()
	slots := plugin.NewRegistry(time.Minute)
	t.Cleanup(func() { _ = slots.Close(context.Background()) })
	server := &fakeWebhooks{}
	revisions := NewRevisions(slots, clock.RealClock{})
	s := swap{
		revisions: revisions, decorators: fakeDecorators{}, webhooks: webhooks{server: server, replica: leader()},
		dispatchers: dispatchers{revisions: revisions},
	}
	var current *revision
	for _, capability := range []plugin.Capability{plugin.CapabilityValidation, plugin.CapabilityReconcile} {
		l := loadOf(t, nil, capability)
		l.current = current
		x := revisionOf(l, string(capability))
		x.exports = plugin.ExportSet{abi.ExportValidateCreate: true}
		l.compiled = &compiled{revision: x, runner: failing{}}
		if p := s.run(t.Context(), l); p != nil {
			t.Fatal(p)
		}
		current = l.current
	}
	if len(server.set) != 1 || len(server.set[0].Exports) > 0 {
		t.Errorf("set %+v, want once, without exports", server.set)
	}
	if !current.resync || current.probation == nil || current.probation.previous.plan.Has(plugin.CapabilityReconcile) {
		t.Errorf("serves %+v, want the second one on probation", current)
	}
}
