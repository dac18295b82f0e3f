// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/test/bench/guest"
)

// BenchmarkReconcile measures one call of reconcile on a warm instance, with output for benchstat:
//
//	test/bench/guests/build.sh bin/bench && go -C test/bench test -run '^$' -bench . -count 10
func BenchmarkReconcile(b *testing.B) {
	for _, language := range guest.Languages() {
		b.Run(language, func(b *testing.B) { benchmarkCall(b, language, func(*plugin.Limits) {}) })
	}
}

// BenchmarkInstance measures the same as BenchmarkReconcile, with a new instance for each call.
func BenchmarkInstance(b *testing.B) {
	for _, language := range guest.Languages() {
		b.Run(language, func(b *testing.B) { benchmarkCall(b, language, perCall) })
	}
}

func benchmarkCall(b *testing.B, language string, change func(*plugin.Limits)) {
	read(b, language+"-k1s") // skips the benchmark if the guest is not built
	s := &session{guests: built}
	opened, err := s.openEngine(b.Context(), language, change)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := opened.Close(); err != nil {
			b.Error(err)
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		if err := opened.Call(b.Context(), 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoad measures a load up to a healthy first instance, with compiled code from the disk cache.
func BenchmarkLoad(b *testing.B) {
	for _, language := range guest.Languages() {
		b.Run(language, func(b *testing.B) {
			module, dir := plugin.NewModule(read(b, language+"-k1s")), b.TempDir()
			var total time.Duration
			for b.Loop() {
				took, err := loadOnce(b.Context(), module, dir)
				if err != nil {
					b.Fatal(err)
				}
				total += took
			}
			b.ReportMetric(float64(total)/float64(b.N), "ns/load")
		})
	}
}

// BenchmarkParallel measures the calls of as many callers as there are cores, to one plugin.
func BenchmarkParallel(b *testing.B) {
	for _, language := range guest.Languages() {
		b.Run(language, func(b *testing.B) {
			read(b, language+"-k1s")
			s := &session{guests: built}
			opened, err := s.openEngine(b.Context(), language, func(l *plugin.Limits) { l.MaxInstances = 64 })
			if err != nil {
				b.Fatal(err)
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := opened.Call(context.Background(), 0); err != nil {
						b.Error(err)
						return
					}
				}
			})
			if err := errors.Join(opened.Close()); err != nil {
				b.Error(err)
			}
		})
	}
}
