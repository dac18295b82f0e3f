// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"errors"
	"strings"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	b := &budget{total: 10, perNamespace: 6}
	for _, step := range []struct {
		namespace string
		bytes     uint64
		flag      string // the flag that denies it, or empty
	}{
		{"a", 6, ""}, {"a", 1, flagNamespaceMemory}, {"b", 4, ""}, {"b", 1, flagTotalMemory}, {"c", 1, flagTotalMemory},
	} {
		err := b.take(step.namespace, step.bytes)
		if step.flag == "" && err != nil || step.flag != "" && (err == nil || !strings.Contains(err.Error(), step.flag)) {
			t.Errorf("%d bytes of %q: got %v, want %q", step.bytes, step.namespace, err, step.flag)
		}
	}
	(&budget{}).give("a", 0) // of a memory that was never committed
	b.give("a", 6)
	b.give("b", 4)
	if b.all != 0 || len(b.spent) != 0 {
		t.Errorf("%d bytes are left, of %v", b.all, b.spent)
	}
}

// TestEngine_namespaceMemory verifies that the memory of the instances and images of a namespace is limited, that other
// namespaces are not affected, and that all memory is given back.
func TestEngine_namespaceMemory(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, func(o *Options) { o.MaxNamespaceMemory = 8 * pageSize })
	of := func(namespace string) plugin.LoadRequest {
		req := request(t, "modes")
		req.Limits.Namespace, req.Limits.MaxMemoryPages = namespace, 64
		return req
	}
	var runners []plugin.Runner
	var err error
	for range 16 {
		var r plugin.Runner
		if r, _, err = e.Load(t.Context(), of("shop")); err != nil {
			break
		}
		runners = append(runners, r)
	}
	var load *plugin.LoadError
	if !errors.As(err, &load) || load.Reason != pluginsv1alpha1.ReasonLimitExceeded || !strings.Contains(load.Message, "--max-namespace-memory allows (0 MiB)") {
		t.Errorf("after %d plugins: got %v, want LimitExceeded", len(runners), err)
	}
	if len(runners) == 0 {
		t.Fatal("no plugin fits")
	}
	other, _, err := e.Load(t.Context(), of("stock"))
	if err != nil {
		t.Errorf("another namespace: %v", err)
	} else {
		runners = append(runners, other)
	}
	for _, r := range runners {
		_ = r.Close(context.Background())
	}
	eventually(t, "all memory is given back", func() bool {
		e.budget.mu.Lock()
		defer e.budget.mu.Unlock()
		return e.budget.all == 0
	})
}
