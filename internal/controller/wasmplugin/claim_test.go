// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// patchClient is a client that patches WasmPlugins, or fails to.
type patchClient struct {
	client.Client

	err error
}

func (c patchClient) Status() client.SubResourceWriter { return patchingStatus{err: c.err} }

func (c patchClient) Patch(context.Context, client.Object, client.Patch, ...client.PatchOption) error {
	return c.err
}

type patchingStatus struct {
	client.SubResourceWriter

	err error
}

func (c patchingStatus) Patch(context.Context, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
	return c.err
}

// closableRunner is a Runner that records whether it was closed.
type closableRunner struct {
	failing

	done bool
}

func (c *closableRunner) Close(context.Context) error {
	c.done = true
	return nil
}

func TestClaim(t *testing.T) {
	t.Parallel()
	conflict := apierrors.NewConflict(schema.GroupResource{}, "validator", errUnavailable)
	for name, tt := range map[string]struct {
		capability plugin.Capability
		standby    bool
		err        error
		finalizer  bool
		types      int
		recovery   recovery // of the problem; 0 means that there is no problem
	}{
		"leaves nothing":     {plugin.CapabilityReconcile, false, nil, false, 0, 0},
		"leaves webhooks":    {plugin.CapabilityValidation, false, nil, true, 0, 0},
		"leaves finalizers":  {plugin.CapabilityFinalization, false, nil, true, 1, 0},
		"on another replica": {plugin.CapabilityFinalization, true, nil, false, 0, 0},
		"an outdated copy":   {plugin.CapabilityFinalization, false, conflict, false, 0, retryNow},
		"cannot be recorded": {plugin.CapabilityFinalization, false, errUnavailable, false, 0, retry},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := loadOf(t, nil, tt.capability)
			runner := &closableRunner{}
			l.compiled = &compiled{runner: runner}
			c := claim{status: &status{client: patchClient{err: tt.err}}, replica: leader()}
			if tt.standby {
				c.replica = &replica{}
			}
			p := c.run(t.Context(), l)
			if (p != nil) != (tt.recovery != 0) || p != nil && p.recovery != tt.recovery {
				t.Errorf("got %v", p)
			}
			if runner.done != (p != nil) {
				t.Errorf("the runner that never served is closed: %t", runner.done)
			}
			if slices.Contains(l.plugin.Finalizers, pluginsv1alpha1.FinalizerCleanup) != tt.finalizer || len(l.plugin.Status.FinalizedTypes) != tt.types {
				t.Errorf("finalizers %q, types %v", l.plugin.Finalizers, l.plugin.Status.FinalizedTypes)
			}
		})
	}
}
