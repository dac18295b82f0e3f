// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

func TestHello(t *testing.T) {
	host := k1stest.New(t)
	host.AddJSON(`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category",
		"metadata":{"name":"tools","namespace":"shop"},"spec":{"name":"Tools"}}`)
	handler := k1s.ForKind("inventory.example.com/v1alpha1", "Category", k1s.ReconcileFunc[*k1s.Object](hello))

	if _, err := host.Reconcile(handler, k1s.Key{Namespace: "shop", Name: "tools"}); err != nil {
		t.Fatal(err)
	}
	if events := host.Events(); len(events) != 1 || events[0].Message != "Hello Tools, this is WebAssembly" {
		t.Errorf("events %+v", events)
	}
}
