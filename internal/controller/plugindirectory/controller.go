// SPDX-License-Identifier: Apache-2.0

// Package plugindirectory makes WasmPlugins of what the operator's plugin directory defines, so that
// plugins from files live, fail and are seen exactly like all others. See docs/adr/0004-directory-plugins.md.
package plugindirectory

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/directory"
)

// fieldManager owns the WasmPlugins made of files.
const fieldManager = "k1s-directory"

// Directory tells what the plugin directory holds.
type Directory interface {
	Discover() (directory.Found, error)
}

// Reconciler keeps the WasmPlugins of one namespace in step with a directory.
type Reconciler struct {
	Client    client.Client
	Directory Directory
	// Namespace is where the WasmPlugins are made.
	Namespace string
}

// +kubebuilder:rbac:groups=plugins.k1s.io,resources=wasmplugins,verbs=get;list;watch;create;update;delete

// Reconcile compares the whole directory with what is there; the request says nothing more than "look".
func (r *Reconciler) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	found, err := r.Directory.Discover()
	if err != nil {
		return ctrl.Result{}, err
	}
	var list pluginsv1alpha1.WasmPluginList
	if err := r.Client.List(ctx, &list, client.InNamespace(r.Namespace)); err != nil {
		return ctrl.Result{}, fmt.Errorf("list WasmPlugins: %w", err)
	}
	var failed []error // one plugin's trouble must not keep the others from loading
	for _, change := range decide(found, list.Items, r.Namespace) {
		err := r.apply(ctx, change)
		if apierrors.IsInvalid(err) {
			err = r.apply(ctx, refused(change, list.Items, err))
		}
		failed = append(failed, err)
	}
	return ctrl.Result{}, errors.Join(failed...)
}

// refused says on the WasmPlugin itself that the API server did not accept what its file says.
func refused(c change, existing []pluginsv1alpha1.WasmPlugin, err error) change {
	problem := directory.Problem{
		Name: c.plugin.Name, File: c.file, Reason: pluginsv1alpha1.ReasonInvalidPluginFile,
		Message: fmt.Sprintf("%s: the API server refuses it: %v", c.file, err),
	}
	var current *pluginsv1alpha1.WasmPlugin
	for i := range existing {
		if existing[i].Name == c.plugin.Name {
			current = &existing[i]
		}
	}
	next, _ := toward(current, c.plugin.Name, c.plugin.Namespace, c.file, func(wp *pluginsv1alpha1.WasmPlugin) { blame(wp, problem) })
	if next.plugin == nil { // it says so already
		next = change{kind: update, plugin: current, file: c.file}
	}
	return next
}

// apply carries one change out.
func (r *Reconciler) apply(ctx context.Context, c change) error {
	l := log.FromContext(ctx).WithValues("plugin", c.plugin.Name)
	var err error
	switch c.kind {
	case create:
		err = r.Client.Create(ctx, c.plugin, client.FieldOwner(fieldManager))
	case update:
		err = r.Client.Update(ctx, c.plugin, client.FieldOwner(fieldManager))
	case remove:
		err = client.IgnoreNotFound(r.Client.Delete(ctx, c.plugin))
	case foreign:
		l.Info("A file defines a plugin whose name a WasmPlugin made by somebody else has; rename one of them", "file", c.file)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s WasmPlugin %q of %s: %w", c.kind, c.plugin.Name, c.file, err)
	}
	l.Info("Plugin directory changed a WasmPlugin", "change", c.kind.String(), "file", c.file)
	return nil
}

// SetupWithManager registers the controller, which looks at every value on changes.
func (r *Reconciler) SetupWithManager(mgr manager.Manager, changes <-chan struct{}) error {
	look := reconcile.Request{NamespacedName: client.ObjectKey{Namespace: r.Namespace, Name: "plugin-directory"}}
	return ctrl.NewControllerManagedBy(mgr).
		Named("plugindirectory").
		WatchesRawSource(source.Func(func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
			go func() {
				for {
					select {
					case <-ctx.Done():
						return
					case <-changes:
						q.Add(look)
					}
				}
			}()
			return nil
		})).
		Complete(r)
}
