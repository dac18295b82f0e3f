// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/clock"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
)

func TestFollow(t *testing.T) {
	t.Parallel()
	moved := plan.Kinds{item(): func() *meta.RESTMapping { m := *itemKinds()[item()]; m.Resource.Resource = "things"; return &m }()}
	for name, tt := range map[string]struct {
		kinds             fakeKinds
		changed, unserved bool
		reason            string // of the problem; empty means that there is no problem
	}{
		"as before":    {fakeKinds{served: itemKinds()}, false, false, ""},
		"another name": {fakeKinds{served: moved}, true, false, ""},
		"not served":   {fakeKinds{}, true, true, ""},
		"no answer":    {fakeKinds{err: errUnavailable}, false, false, pluginsv1alpha1.ReasonReviewFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			revisions := NewRevisions(nil, clock.RealClock{})
			l := loadOf(t, func(s *pluginsv1alpha1.WasmPluginSpec) {
				s.Admission.FailurePolicy = pluginsv1alpha1.FailurePolicyIgnore
			})
			l.current = revisionOf(loadOf(t, nil), "current")
			revisions.set(l.name, l.current)
			permissions := allowing(nil)
			permissions.kinds = tt.kinds
			p := follow{revisions: revisions, permissions: permissions}.run(t.Context(), l)
			if (p != nil) != (tt.reason != "") || p != nil && p.reason != tt.reason {
				t.Errorf("got %v", p)
			}
			if l.kindsChanged != tt.changed || (l.current.unserved != nil) != tt.unserved || revisions.get(l.name) != l.current {
				t.Errorf("changed %t, serves %+v", l.kindsChanged, l.current)
			}
			if l.current.plan.Admission.FailurePolicy != pluginsv1alpha1.FailurePolicyIgnore {
				t.Error("it does not follow spec.admission")
			}
			if l.current.dispatcher.scope.Load() != l.current.scope {
				t.Error("the dispatcher uses another scope")
			}
		})
	}
}
