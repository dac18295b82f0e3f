// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/k1s-io/k1s/test/bench/guest"

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
	for _, m := range []struct {
		name, what     string
		others, golang float64 // targets in KiB
		pick           func(footprint) float64
	}{
		{"memory-idle-", "an idle plugin, ", 50, 50, func(f footprint) float64 { return f.Idle }},
		{"memory-warm-", "a warm instance, ", 150, 3072, func(f footprint) float64 { return f.Warm }},
	} {
		for _, l := range guest.Languages() {
			s.rows = append(s.rows, row{
				name: m.name + l, what: m.what + title[l], unit: "KiB", seed: "1–10 MB", target: atMost(byLanguage(l, m.others, m.golang)),
				value: resultOf(func(s *session) float64 { return m.pick(s.warm[l]()) / kibibyte }),
			})
		}
	}
	return s
}
