// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/watch"
)

// recordingRunner is a Runner that records whether it is given an object, and returns its error, if it has one.
type recordingRunner struct {
	notified *[]string
	reply    string
	err      error
}

func (h recordingRunner) Call(_ context.Context, call plugin.Call) ([]byte, error) {
	what := "object"
	if strings.Contains(string(call.Input), `"object":null`) {
		what = "null"
	}
	*h.notified = append(*h.notified, what)
	return []byte(h.reply), h.err
}

func (recordingRunner) Close(context.Context) error { return nil }

// TestDispatcher_Reconcile_leavesSelector shows that an object that stops matching the selector is delivered once,
// as deleted, and not again until it matches.
func TestDispatcher_Reconcile_leavesSelector(t *testing.T) {
	t.Parallel()
	invalid := (*plugin.Redactor)(nil).GuestError(abi.ExportReconcile, abi.GuestStatus{Reason: string(metav1.StatusReasonInvalid)})
	for name, tt := range map[string]struct {
		runner recordingRunner
		want   []string
	}{
		"is delivered once":              {recordingRunner{}, []string{"null"}},
		"and not again when it is final": {recordingRunner{err: invalid}, []string{"null"}},
		"but again when it fails":        {recordingRunner{err: errors.New("trap")}, []string{"null", "null"}},
		"and when the guest asks for it": {recordingRunner{reply: `{"requeueAfterMillis":5}`}, []string{"null", "null"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var notified []string
			tt.runner.notified = &notified
			state := hammer("unselected")
			d := &dispatcher{runner: tt.runner, objects: oneObjectCache{object: state}, authorizer: always{}, notify: func(string, string) {}}
			d.scope.Store(&scope{
				plan: plan.Plan{Capabilities: []plugin.Capability{plugin.CapabilityReconcile}, Watch: watch.Spec{
					Targets:    []plugin.Target{{GVK: item(), Selector: labels.SelectorFromSet(labels.Set{"kept": "yes"})}},
					Namespaces: []string{"shop"},
				}},
				kinds: plan.Kinds{item(): &meta.RESTMapping{Scope: meta.RESTScopeNamespace}},
			})
			req := watch.Request{GVK: item(), NamespacedName: types.NamespacedName{Namespace: "shop", Name: state.GetName()}}
			reconcile := func() {
				_, _ = d.Reconcile(t.Context(), req, watch.Turn{Attempt: 1}) // the test checks what the guest receives
			}
			reconcile()
			reconcile()
			if !slices.Equal(notified, tt.want) {
				t.Fatalf("heard %q, want %q", notified, tt.want)
			}
			notified = nil
			d.objects = oneObjectCache{object: hammer()}
			reconcile()
			d.objects = oneObjectCache{object: state}
			reconcile()
			if !slices.Equal(notified, []string{"object", "null"}) {
				t.Errorf("after it matched again: heard %q", notified)
			}
		})
	}
}
