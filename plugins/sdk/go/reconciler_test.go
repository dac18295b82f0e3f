// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

// grower is a Reconciler for a Go type.
type grower struct{ attempts []int }

func (g *grower) Reconcile(ctx context.Context, req k1s.Request, w *Widget) (k1s.Result, error) {
	g.attempts = append(g.attempts, req.Attempt)
	switch {
	case w == nil:
		return k1s.Result{}, nil
	case w.Size < 0:
		return k1s.Result{}, errors.New("negative")
	case w.Phase == "Grown":
		return k1s.Result{RequeueAfter: time.Minute}, nil
	}
	status := widget(w.Name, 0)
	status.Phase = "Grown"
	return k1s.Result{}, k1s.ApplyStatus(ctx, status, k1s.ApplyOptions{})
}

func TestFor(t *testing.T) {
	host := k1stest.New(t)
	host.Add(widget("a", 1), widget("negative", -1))
	g := new(grower)
	// The compiler can infer both type parameters.
	for _, handler := range []k1s.Handler{k1s.For(g), k1s.For[Widget](g)} {
		if got := handler.TypeRef(); got != (*Widget)(nil).TypeRef() {
			t.Errorf("the handler is for %s", got)
		}
	}
	handler, a := k1s.For(g), k1s.Key{Namespace: "shop", Name: "a"}

	if result, err := host.Reconcile(handler, a); err != nil || result != (k1s.Result{}) {
		t.Errorf("first: %+v, %v", result, err)
	}
	if got, _ := host.Object(handler.TypeRef(), a).GetString("status", "phase"); got != "Grown" {
		t.Errorf("phase %q", got)
	}
	host.ClearRecords()
	if result, err := host.Reconcile(handler, a); err != nil || result.RequeueAfter != time.Minute {
		t.Errorf("second: %+v, %v", result, err)
	}
	if writes := host.Writes(); len(writes) != 0 {
		t.Errorf("the second writes %+v", writes)
	}
	if _, err := host.Reconcile(handler, k1s.Key{Namespace: "shop", Name: "gone"}); err != nil {
		t.Errorf("gone: %v", err)
	}

	g.attempts = nil
	bad := k1s.Key{Namespace: "shop", Name: "negative"}
	for range 3 {
		if _, err := host.Reconcile(handler, bad); err == nil {
			t.Error("no error")
		}
	}
	host.Add(widget("negative", 5))
	for range 2 {
		if _, err := host.Reconcile(handler, bad); err != nil {
			t.Error(err)
		}
	}
	if want := []int{1, 2, 3, 4, 1}; !slices.Equal(g.attempts, want) {
		t.Errorf("attempts %v, want %v", g.attempts, want)
	}
}
