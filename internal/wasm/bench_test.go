// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"bytes"
	"context"
	"testing"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// benchmarkInput returns an input of about the size of an Item.
func benchmarkInput(mode byte) []byte {
	return append([]byte{mode}, bytes.Repeat([]byte("k1s "), 375)...)
}

// BenchmarkRunner_Call_echo measures an echo: one allocation in the guest, 1.5 KB in and out.
func BenchmarkRunner_Call_echo(b *testing.B) {
	e, _ := newEngine(b)
	r := load(b, e, "modes")
	call := plugin.Call{Export: abi.ExportReconcile, Input: benchmarkInput('a')}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Call(b.Context(), call); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRunner_Call_echoParallel(b *testing.B) {
	e, _ := newEngine(b)
	r := load(b, e, "modes", func(req *plugin.LoadRequest) { req.Limits.MaxInstances = 8 })
	call := plugin.Call{Export: abi.ExportReconcile, Input: benchmarkInput('a')}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := r.Call(context.Background(), call); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkRunner_Call_get measures a host call: a request of 70 bytes with a reply of 1.5 KB, which the guest returns.
func BenchmarkRunner_Call_get(b *testing.B) {
	e, _ := newEngine(b)
	object := benchmarkInput('{')
	r := load(b, e, "modes", withHost(func(context.Context, abi.ObjectKey) ([]byte, error) { return object, nil }))
	call := plugin.Call{Export: abi.ExportReconcile, Input: append([]byte{'i'}, goodRequest...)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Call(b.Context(), call); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReconcile_minimal measures a reconcile that does nothing, including the encoding of its request and result.
func BenchmarkReconcile_minimal(b *testing.B) {
	e, _ := newEngine(b)
	r := load(b, e, "minimal")
	req := abi.ReconcileRequest{
		ObjectKey: abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "tools"},
		Object:    benchmarkInput('{'), Attempt: 1,
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plugin.Reconcile(b.Context(), r, req); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEngine_instantiate measures the creation of an instance of a small guest: by its own initialization, and
// from an image.
func BenchmarkEngine_instantiate(b *testing.B) {
	e, _ := newEngine(b)
	r := load(b, e, "minimal").(*runner)
	for name, make := range map[string]func() (*instance, error){
		"fresh": func() (*instance, error) { return e.instantiate(b.Context(), r.code, r.req, nil) },
		"image": func() (*instance, error) { return e.restore(b.Context(), r.code, r.req, r.image, nil) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				in, err := make()
				if err != nil {
					b.Fatal(err)
				}
				in.close(b.Context())
			}
		})
	}
}
