// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/test/bench/guest"
)

// BenchmarkCall measures calls of the engine, with output for benchstat: on a warm instance, with a new instance for
// each call, and on warm instances with as many callers as there are cores.
//
//	test/bench/guests/build.sh bin/bench && go -C test/bench test -run '^$' -bench . -count 10
func BenchmarkCall(b *testing.B) {
	for _, language := range guest.Languages() {
		for _, name := range []string{"engine-" + language, "fresh-" + language, "engine-" + language + "-16"} {
			b.Run(name, func(b *testing.B) {
				read(b, language+"-k1s") // skips the benchmark if the guest is not built
				s := &session{ctx: b.Context(), guests: built}
				subject, err := s.subject(name)
				if err != nil {
					b.Fatal(err)
				}
				opened, err := subject.Open(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				if subject.Callers == 1 {
					for b.Loop() {
						if err := opened.Call(b.Context(), 0); err != nil {
							b.Fatal(err)
						}
					}
				} else {
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							if err := opened.Call(b.Context(), 0); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				if err := opened.Close(); err != nil {
					b.Error(err)
				}
			})
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
				total += loadOnce(b.Context(), module, dir)
			}
			b.ReportMetric(float64(total)/float64(b.N), "ns/load")
		})
	}
}
