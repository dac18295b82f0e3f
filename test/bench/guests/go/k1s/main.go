// SPDX-License-Identifier: Apache-2.0

// Command k1s is the benchmark's guest in standard Go with the k1s SDK.
package main

import (
	"context"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/test/bench/guests/go/decoder"
	"github.com/k1s-io/k1s/test/bench/object"
)

func init() {
	k1s.Register(k1s.Plugin{
		Name: "bench-go", Version: "1.0.0",
		Reconcilers: []k1s.Handler{
			k1s.For[item](k1s.ReconcileFunc[*item](reconcileItem)),
			k1s.For[category](k1s.ReconcileFunc[*category](reconcileCategory)),
		},
	})
}

type item struct{ decoder.Object }

// TypeRef returns the apiVersion and kind of an Item.
func (*item) TypeRef() k1s.TypeReference {
	return k1s.TypeReference{APIVersion: object.APIVersion, Kind: "Item"}
}

type category struct{ decoder.Object }

// TypeRef returns the apiVersion and kind of a Category.
func (*category) TypeRef() k1s.TypeReference {
	return k1s.TypeReference{APIVersion: object.APIVersion, Kind: "Category"}
}

// MarshalK1s is required by the client of the SDK. It writes nothing, because the guest does not write Categories.
func (*category) MarshalK1s(*json.Encoder) {}

func reconcileItem(ctx context.Context, _ k1s.Request, i *item) (k1s.Result, error) {
	if i == nil {
		return k1s.Result{}, nil
	}
	var c category
	if err := k1s.Get(ctx, k1s.Key{Namespace: i.Metadata.Namespace, Name: i.Spec.Category}, &c); err != nil {
		return k1s.Result{}, err
	}
	millis := object.RequeueAfterMillis(&i.Object.Object, &c.Object.Object)
	return k1s.Result{RequeueAfter: time.Duration(millis) * time.Millisecond}, nil
}

// reconcileCategory does nothing. It is registered so that Categories are read from the operator's cache.
func reconcileCategory(context.Context, k1s.Request, *category) (k1s.Result, error) {
	return k1s.Result{}, nil
}

func main() {}
