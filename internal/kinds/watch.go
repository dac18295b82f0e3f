// SPDX-License-Identifier: Apache-2.0

package kinds

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// definitions and services determine which kinds exist. The names of both end with a group after the first dot:
// "widgets.example.com", "v1.example.com".
var (
	definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	services    = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}
)

// Watch watches CustomResourceDefinitions and APIServices, of which it keeps only the names, and makes a Resolver
// resolve the kinds again that they define.
type Watch struct {
	log       logr.Logger
	changed   []func(groups ...string)
	informers []cache.SharedIndexInformer
}

// NewWatch returns a Watch that keeps a Resolver up to date. After the Resolver, it calls the listeners with the groups
// that have changed; no groups means all. Listeners must not block. The config's ServiceAccount needs list and watch on
// both resources. Without them for one resource, the Watch does without that resource.
func NewWatch(config *rest.Config, client *http.Client, resolver *Resolver, log logr.Logger, listeners ...func(groups ...string)) (*Watch, error) {
	c, err := metadata.NewForConfigAndClient(metadata.ConfigFor(config), client)
	if err != nil {
		return nil, fmt.Errorf("make a client for CustomResourceDefinitions: %w", err)
	}
	w := &Watch{log: log, changed: append([]func(...string){resolver.Invalidate}, listeners...)}
	for _, resource := range []schema.GroupVersionResource{definitions, services} {
		if err := w.add(c, resource); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica resolves kinds.
func (w *Watch) NeedLeaderElection() bool { return false }

// Start watches until the context ends. It does not fail if the operator lacks the permission to watch.
func (w *Watch) Start(ctx context.Context) error {
	ctx = klog.NewContext(ctx, w.log) // for client-go's logs
	var running sync.WaitGroup
	for _, i := range w.informers {
		running.Go(func() { i.RunWithContext(ctx) })
		running.Go(func() {
			// No event reports what changed before the initial list.
			if cache.WaitForCacheSync(ctx.Done(), i.HasSynced) {
				w.notify()
			}
		})
	}
	running.Wait()
	return nil
}

func (w *Watch) add(client metadata.Interface, resource schema.GroupVersionResource) error {
	names := client.Resource(resource)
	lw := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return names.List(ctx, o) },
		WatchFuncWithContext: names.Watch,
	}, client)
	i := cache.NewSharedIndexInformer(lw, &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})
	w.informers = append(w.informers, i)
	if err := i.SetTransform(nameOnly); err != nil {
		return fmt.Errorf("set what is kept: %w", err)
	}
	if err := i.SetWatchErrorHandlerWithContext(w.handleError(resource)); err != nil {
		return fmt.Errorf("set how errors are handled: %w", err)
	}
	_, err := i.AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(obj any, initial bool) {
			if !initial { // after the initial list, everything counts as changed anyway
				w.handle(obj)
			}
		},
		UpdateFunc: func(before, after any) {
			was, _ := before.(metav1.Object)
			is, _ := after.(metav1.Object)
			if was == nil || is == nil || was.GetResourceVersion() != is.GetResourceVersion() {
				w.handle(after)
			}
		},
		DeleteFunc: func(obj any) {
			if removed, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = removed.Obj
			}
			w.handle(obj)
		},
	})
	if err != nil {
		return fmt.Errorf("listen to changes: %w", err)
	}
	return nil
}

// handleError logs once that the operator lacks the permission to watch a resource, which can be intended in a cluster.
func (w *Watch) handleError(resource schema.GroupVersionResource) cache.WatchErrorHandlerWithContext {
	var once sync.Once
	return func(_ context.Context, _ *cache.Reflector, err error) {
		if apierrors.IsForbidden(err) {
			once.Do(func() {
				w.log.Info("The operator cannot watch a resource that defines kinds: it notices changes of kinds late; grant it list and watch",
					"resource", resource.GroupResource().String(), "error", err.Error())
			})
			return
		}
		w.log.V(1).Info("A watch ended", "resource", resource.GroupResource().String(), "error", err.Error())
	}
}

func (w *Watch) handle(obj any) {
	o, ok := obj.(metav1.Object)
	if !ok {
		return
	}
	if _, group, ok := strings.Cut(o.GetName(), "."); ok {
		w.notify(group)
	}
}

func (w *Watch) notify(groups ...string) {
	for _, changed := range w.changed {
		changed(groups...)
	}
}

func nameOnly(obj any) (any, error) {
	if o, ok := obj.(*metav1.PartialObjectMetadata); ok {
		return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: o.Name, UID: o.UID, ResourceVersion: o.ResourceVersion}}, nil
	}
	return obj, nil
}
