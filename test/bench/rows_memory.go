// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/k1s-io/k1s/test/bench/guest"
)

const kibibyte = 1 << 10

// memoryRows returns the rows about the memory of idle plugins and of warm instances.
func memoryRows() section {
	s := section{
		title: "Memory",
		note: "In a process of its own: its own pages, its share of mapped files, and all its memory files, whether mapped or not. " +
			"An idle plugin is a loaded revision that has not been called for a while: it has no instance, and no code in memory either; its next call takes as long " +
			"as a load from the warm disk cache. All are distinct modules. " +
			"A warm instance is one more of the same plugin, after 50 calls.",
	}
	for _, l := range guest.Languages() {
		s.rows = append(s.rows, row{
			name: "memory-idle-" + l, what: "an idle plugin, " + title[l], unit: "KiB", seed: "1–10 MB", target: atMost(50),
			measure: func(ctx context.Context, s *session) (float64, error) {
				f, err := s.footprint(ctx, l)
				return f.Idle / kibibyte, err
			},
		})
	}
	for _, l := range guest.Languages() {
		s.rows = append(s.rows, row{
			name: "memory-warm-" + l, what: "a warm instance, " + title[l], unit: "KiB", seed: "1–10 MB", target: atMost(byLanguage(l, 150, 3072)),
			measure: func(ctx context.Context, s *session) (float64, error) {
				f, err := s.footprint(ctx, l)
				return f.Warm / kibibyte, err
			},
		})
	}
	return s
}
