// SPDX-License-Identifier: Apache-2.0

// Hello greets every Category with an Event.
package main

import (
	"context"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

func init() {
	k1s.Register(k1s.Plugin{
		Name:    "hello",
		Version: "v1.0.0",
		Reconcilers: []k1s.Handler{
			k1s.ForKind("inventory.example.com/v1alpha1", "Category",
				k1s.ReconcileFunc[*k1s.Object](hello)),
		},
	})
}

// hello is called for every change of a Category, and with nil when it is gone.
func hello(_ context.Context, req k1s.Request, cat *k1s.Object) (k1s.Result, error) {
	if cat == nil {
		k1s.Log.Info("gone", "category", req.Key)
		return k1s.Result{}, nil
	}
	name, _ := cat.GetString("spec", "name")
	k1s.Log.Info("hello", "category", req.Key, "name", name)
	k1s.Event(cat, k1s.Normal, "Hello", "Hello "+name+", this is WebAssembly")
	return k1s.Result{}, nil
}

func main() {}
