// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// claim records what a revision leaves in the cluster before the revision can leave anything there, so that it is
// removed whatever happens in between.
func (r *Reconciler) claim(ctx context.Context, l *load) *problem {
	p := r.claimFor(ctx, l, l.plan)
	if p != nil && l.runner != nil {
		_ = l.runner.Close(ctx) // it never served
	}
	return p
}

// claimFor does what claim does, for a plan that is about to serve.
func (r *Reconciler) claimFor(ctx context.Context, l *load, p plan) *problem {
	if !r.leads.Load() || !p.needsCleanup() {
		return nil
	}
	err := r.setCleanup(ctx, l, true)
	if err == nil {
		err = r.record(ctx, l, joined(l.plugin.Status.FinalizedTypes, p.finalized()))
	}
	switch {
	case err == nil:
		return nil
	case apierrors.IsConflict(err):
		return &problem{condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonPending, message: err.Error(), recovery: retryNow}
	}
	return &problem{
		condition: pluginsv1alpha1.ConditionServing, reason: pluginsv1alpha1.ReasonRecordFailed,
		message: "the kinds that the plugin finalizes could not be recorded: " + err.Error(), recovery: retry,
	}
}

// finalized returns the kinds whose objects get the plugin's finalizer.
func (p plan) finalized() []schema.GroupVersionKind {
	if !p.has(plugin.CapabilityFinalization) {
		return nil
	}
	var out []schema.GroupVersionKind
	for _, t := range p.watch.Targets {
		out = append(out, t.GVK)
	}
	return out
}

// needsCleanup reports whether the plugin leaves something in the cluster that has to be removed with it: its finalizer
// on objects, or its webhook configurations.
func (p plan) needsCleanup() bool {
	return p.has(plugin.CapabilityFinalization) || len(p.admissionVerbs()) > 0
}

// setCleanup adds the operator's own finalizer to the WasmPlugin, or removes it.
func (r *Reconciler) setCleanup(ctx context.Context, l *load, wanted bool) error {
	next := l.before.DeepCopy()
	change := controllerutil.RemoveFinalizer
	if wanted {
		change = controllerutil.AddFinalizer
	}
	if !change(next, pluginsv1alpha1.FinalizerCleanup) {
		return nil
	}
	patch := client.MergeFromWithOptions(l.before, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Patch(ctx, next, patch, client.FieldOwner(fieldManager)); err != nil {
		return fmt.Errorf("patch the finalizers of the WasmPlugin: %w", err)
	}
	r.wrote(l, next)
	return nil
}

// record sets status.finalizedTypes to the given kinds at once. If the operator's copy of the WasmPlugin is outdated,
// the API server answers with a Conflict.
func (r *Reconciler) record(ctx context.Context, l *load, types []pluginsv1alpha1.TypeReference) error {
	if slices.Equal(l.before.Status.FinalizedTypes, types) {
		return nil
	}
	next := l.before.DeepCopy()
	next.Status.FinalizedTypes = types
	patch := client.MergeFromWithOptions(l.before, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Status().Patch(ctx, next, patch, client.FieldOwner(fieldManager)); err != nil {
		return fmt.Errorf("patch status.finalizedTypes: %w", err)
	}
	r.wrote(l, next)
	return nil
}

// wrote updates the load with the API server's answer to a patch that precedes the final patch of the status.
func (r *Reconciler) wrote(l *load, answer *pluginsv1alpha1.WasmPlugin) {
	l.plugin.ObjectMeta = *answer.ObjectMeta.DeepCopy()
	l.plugin.Status.FinalizedTypes = slices.Clone(answer.Status.FinalizedTypes)
	answer.TypeMeta, answer.Spec = l.before.TypeMeta, l.before.Spec // the patch has not changed them
	l.before = answer
	r.freshness.wrote(l.name, answer)
}

// joined adds kinds to the recorded ones. Two versions of a kind are the same kind.
func joined(recorded []pluginsv1alpha1.TypeReference, kinds []schema.GroupVersionKind) []pluginsv1alpha1.TypeReference {
	out := without(recorded, kinds)
	for _, gvk := range kinds {
		apiVersion, kind := gvk.ToAPIVersionAndKind()
		out = append(out, pluginsv1alpha1.TypeReference{APIVersion: apiVersion, Kind: kind})
	}
	slices.SortFunc(out, compareTypes)
	return out
}

// without returns the recorded kinds except the given ones, in whatever version.
func without(recorded []pluginsv1alpha1.TypeReference, kinds []schema.GroupVersionKind) []pluginsv1alpha1.TypeReference {
	var out []pluginsv1alpha1.TypeReference
	for _, t := range recorded {
		same := func(gvk schema.GroupVersionKind) bool { return gvk.GroupKind() == kindOf(t).GroupKind() }
		if !slices.ContainsFunc(kinds, same) {
			out = append(out, t)
		}
	}
	return out
}

func compareTypes(a, b pluginsv1alpha1.TypeReference) int {
	return cmp.Or(cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Kind, b.Kind))
}

func kindOf(t pluginsv1alpha1.TypeReference) schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(t.APIVersion, t.Kind)
}
