// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// watchOne returns an informer of the one object with a name. RBAC allows the list and the watch of it by resourceNames.
func watchOne[L runtime.Object](
	list func(context.Context, metav1.ListOptions) (L, error), watches func(context.Context, metav1.ListOptions) (watch.Interface, error), name string, object runtime.Object,
) cache.SharedIndexInformer {
	only := fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
	return cache.NewSharedIndexInformer(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = only
			return list(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = only
			return watches(ctx, o)
		},
	}, object, 0, nil)
}

// signal returns an event handler that sends a value for every event.
func signal(c chan<- struct{}) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { send(c) },
		UpdateFunc: func(any, any) { send(c) },
		DeleteFunc: func(any) { send(c) },
	}
}
