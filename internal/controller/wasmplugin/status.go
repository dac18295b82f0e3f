// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/conditions"
)

// fieldManager is the field manager that owns the status of WasmPlugins.
const fieldManager = "k1s"

// status writes to WasmPlugins: their status, and the operator's finalizer.
type status struct {
	client    client.Client
	freshness freshness
}

// patch writes the status of a load, if it has changed.
func (s *status) patch(ctx context.Context, l *load) error {
	l.plugin.Status.ObservedGeneration = l.plugin.Generation
	if err := conditions.Patch(ctx, s.client, l.stored, l.plugin, fieldManager); err != nil {
		return err
	}
	s.freshness.wrote(l.name, l.plugin)
	return nil
}

// setCleanup adds the operator's own finalizer to the WasmPlugin, or removes it.
func (s *status) setCleanup(ctx context.Context, l *load, wanted bool) error {
	next := l.stored.DeepCopy()
	change := controllerutil.RemoveFinalizer
	if wanted {
		change = controllerutil.AddFinalizer
	}
	if !change(next, pluginsv1alpha1.FinalizerCleanup) {
		return nil
	}
	patch := client.MergeFromWithOptions(l.stored, client.MergeFromWithOptimisticLock{})
	if err := s.client.Patch(ctx, next, patch, client.FieldOwner(fieldManager)); err != nil {
		return fmt.Errorf("patch the finalizers of the WasmPlugin: %w", err)
	}
	s.wrote(l, next)
	return nil
}

// setFinalizedTypes sets status.finalizedTypes to the given kinds at once. If the operator's copy of the WasmPlugin is outdated,
// the API server answers with a Conflict.
func (s *status) setFinalizedTypes(ctx context.Context, l *load, types []pluginsv1alpha1.TypeReference) error {
	if slices.Equal(l.stored.Status.FinalizedTypes, types) {
		return nil
	}
	next := l.stored.DeepCopy()
	next.Status.FinalizedTypes = types
	patch := client.MergeFromWithOptions(l.stored, client.MergeFromWithOptimisticLock{})
	if err := s.client.Status().Patch(ctx, next, patch, client.FieldOwner(fieldManager)); err != nil {
		return fmt.Errorf("patch status.finalizedTypes: %w", err)
	}
	s.wrote(l, next)
	return nil
}

// wrote updates the load with the API server's answer to a patch that precedes the final patch of the status.
func (s *status) wrote(l *load, answer *pluginsv1alpha1.WasmPlugin) {
	l.plugin.ObjectMeta = *answer.ObjectMeta.DeepCopy()
	l.plugin.Status.FinalizedTypes = slices.Clone(answer.Status.FinalizedTypes)
	answer.TypeMeta, answer.Spec = l.stored.TypeMeta, l.stored.Spec // the patch has not changed them
	l.stored = answer
	s.freshness.wrote(l.name, answer)
}

// staleAfter is how soon a plugin is reconciled again if its last status is not in the cache yet.
const staleAfter = 20 * time.Millisecond

// freshness remembers the last status that was written for each plugin. A reconcile soon after it must not start from
// an older status: its patch, which is a difference, would leave out what the older status happens to have right.
type freshness struct {
	mu      sync.Mutex
	written map[types.NamespacedName]written
}

type written struct {
	uid     types.UID
	version string
}

// wrote remembers the API server's answer to a patch.
func (f *freshness) wrote(name types.NamespacedName, wp *pluginsv1alpha1.WasmPlugin) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.written == nil {
		f.written = map[types.NamespacedName]written{}
	}
	f.written[name] = written{uid: wp.UID, version: wp.ResourceVersion}
}

// stale reports whether an object is older than its last written status.
func (f *freshness) stale(name types.NamespacedName, wp *pluginsv1alpha1.WasmPlugin) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	w, ok := f.written[name]
	if !ok || w.uid != wp.UID {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(wp.ResourceVersion, w.version)
	return err == nil && order < 0
}

func (f *freshness) forget(name types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.written, name)
}
