// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// remove unloads a plugin that was deleted, and forgets everything about it.
func (r *Reconciler) remove(ctx context.Context, name types.NamespacedName) error {
	err := r.unload(ctx, name)
	r.freshness.forget(name)
	r.Decorators.Forget(name.String())
	r.Anomalies.Forget(name.String())
	return err
}

// unload stops what runs for a plugin: first its events, then its revision, after no admission request can wait for it.
func (r *Reconciler) unload(ctx context.Context, name types.NamespacedName) error {
	r.Watches.Stop(name)
	if err := r.removeWebhooks(ctx, name); err != nil {
		return err
	}
	r.serving.forget(name)
	r.guard.waitsNoMore(name)
	r.Decorators.Stops(name.String())
	if err := r.Slots.Remove(ctx, name); err != nil {
		return fmt.Errorf("close the plugin: %w", err)
	}
	return nil
}

// suspend unloads a plugin while spec.suspend is true, and keeps the digest of its last revision in the status.
func (r *Reconciler) suspend(ctx context.Context, l *load) error {
	message := "spec.suspend is true"
	err := r.unload(ctx, l.name)
	if err != nil {
		message += "; the plugin could not be unloaded, which is retried: " + err.Error()
	}
	l.retireRevision()
	for _, c := range phases() {
		l.conditions.Unknown(c, pluginsv1alpha1.ReasonSuspended, message)
	}
	for _, c := range []string{pluginsv1alpha1.ConditionServing, pluginsv1alpha1.ConditionDegraded, pluginsv1alpha1.ConditionReady} {
		l.conditions.False(c, pluginsv1alpha1.ReasonSuspended, message)
	}
	return err
}
