// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/k1s-io/k1s/test/bench/guest"
	"github.com/k1s-io/k1s/test/bench/measure"
	"github.com/k1s-io/k1s/test/bench/report"
)

// title is the display name of a language.
var title = map[string]string{"rust": "Rust", "c": "C", "assemblyscript": "AssemblyScript", "go": "Go (SDK)"}

// quantiles are the figures of a single call.
var quantiles = []struct {
	name   string
	figure measure.Quantile
}{{"p50", microP50}, {"p99", microP99}}

// extismPeer returns the guest of Extism in a language as a peer, with a suffix of its name; AssemblyScript has none.
func extismPeer(language, suffix string, figure measure.Quantile) []other {
	if language == "assemblyscript" {
		return nil
	}
	return []other{{label: "Extism", subject: "extism-" + language + suffix, figure: figure}}
}

// callRows returns the rows about single calls by one caller.
func callRows() section {
	s := section{title: "One reconcile, through the engine", note: "One caller; the guest is protected, its instance warm."}
	targets := map[string]*report.Target{
		"rust-p50": atMost(15), "c-p50": atMost(15), "assemblyscript-p50": atMost(30), "go-p50": atMost(60), "rust-p99": atMost(60), "c-p99": atMost(60),
	}
	for _, q := range quantiles {
		for _, l := range guest.Languages() {
			peers := []other{{label: "native Go", subject: "native", figure: q.figure}, {label: "go-plugin", subject: "goplugin", figure: q.figure}}
			s.rows = append(s.rows, row{
				name: "reconcile-" + l + "-" + q.name, what: title[l] + ", " + q.name, unit: "µs", seed: "0.5–2 ms", target: targets[l+"-"+q.name],
				value: figureOf("engine-"+l, q.figure), peers: append(peers, extismPeer(l, "", q.figure)...),
			})
		}
	}
	for _, l := range []string{"rust", "c"} {
		s.rows = append(s.rows, row{
			name: "reconcile-" + l + "-against-native", what: title[l] + " against native Go with encoding/json, p50", unit: "×", target: atMost(1),
			value: ratioOf("engine-"+l, "native", measure.P50),
		})
	}
	return s
}

// peerRows returns the rows about the peers themselves.
func peerRows() section {
	s := section{title: "The same work by others", note: "One caller."}
	for _, p := range []struct{ name, what string }{
		{"native", "native Go, encoding/json"},
		{"goplugin", "hashicorp/go-plugin over gRPC, native Go"},
		{"extism-rust", "Extism, Rust with serde_json"},
		{"extism-c", "Extism, C"},
		{"extism-go", "Extism, Go with encoding/json, as its PDK has it"},
		{"extism-go-decoder", "Extism, Go with the decoder of the k1s SDK"},
	} {
		for _, q := range quantiles {
			s.rows = append(s.rows, row{
				name: "peer-" + p.name + "-" + q.name, what: p.what + ", " + q.name, unit: "µs",
				value: figureOf(p.name, q.figure),
			})
		}
	}
	return s
}

// meteringRows returns the rows that compare the ways to protect the host, on wazero without the engine.
func meteringRows() section {
	s := section{
		title: "What protection costs",
		note: "The same module on wazero without the engine, one caller, everything else equal: as it comes (nothing stops a loop), " +
			"metered by `internal/wasm/meter`, and with wazero's own `WithCloseOnContextDone`. Where a call has a deadline, both have one.",
	}
	for _, l := range guest.Languages() {
		none, metered := "direct-"+l+"-unprotected", "direct-"+l+"-metered"
		s.rows = append(s.rows, row{
			name: "metering-overhead-" + l, what: title[l] + ": metered against unprotected, p50", unit: "×",
			seed: "10–30 % WASM overhead", target: atMost(1.25),
			value: ratioOf(metered, none, measure.P50),
			peers: []other{{"unprotected", none, microP50, "µs"}, {"metered", metered, microP50, "µs"}},
		})
	}
	for _, l := range guest.Languages() {
		deadline, closing := "direct-"+l+"-metered-with-deadline", "direct-"+l+"-close-on-context-done"
		s.rows = append(s.rows, row{
			name: "metering-against-close-" + l, what: title[l] + ": WithCloseOnContextDone against metered, p50", unit: "×", target: atLeast(4),
			value: ratioOf(closing, deadline, measure.P50),
			peers: []other{{"WithCloseOnContextDone", closing, microP50, "µs"}, {"metered", deadline, microP50, "µs"}},
		})
	}
	return s
}

// throughputRows returns the rows about calls per second by two callers.
func throughputRows() section {
	s := section{title: "Calls per second through one plugin", note: "Two callers, each with an instance where instances are for one at a time. \"Of all its cores' CPU time\" is what two cores " +
		"would do if nobody else wanted them: more than is measured on a machine that is shared."}
	targets := map[string]*report.Target{"rust": atLeast(100_000)}
	seeds := map[string]string{"rust": "> 2,000"}
	for _, l := range guest.Languages() {
		s.rows = append(s.rows, row{
			name: "calls-" + l, what: "engine, " + title[l], unit: "/s", seed: seeds[l], target: targets[l],
			value: figureOf("engine-"+l+"-2", measure.PerSecond),
			peers: append([]other{{label: "go-plugin", subject: "goplugin-2", figure: measure.PerSecond}}, extismPeer(l, "-2", measure.PerSecond)...),
			note: func(s *session) string {
				return "of all its cores' CPU time " + report.Number(callers*s.of("engine-"+l+"-2").Median(measure.PerCPUSecond)) + " /s"
			},
		})
	}
	s.rows = append(s.rows, queueRow())
	against := func(name, what, ours, theirs string, target *report.Target) {
		s.rows = append(s.rows, row{
			name: "calls-against-" + name, what: what, unit: "×", target: target,
			value: ratioOf(ours, theirs, measure.PerSecond),
			peers: []other{{"k1s", ours, measure.PerSecond, "/s"}, {"peer", theirs, measure.PerSecond, "/s"}},
		})
	}
	against("goplugin", "Rust against go-plugin, two callers each", "engine-rust-2", "goplugin-2", atLeast(20))
	against("goplugin-16", "Rust with two callers against go-plugin with 16", "engine-rust-2", "goplugin-16", nil)
	for _, l := range []string{"rust", "c", "go"} {
		against("extism-"+l, title[l]+" against Extism in the same language", "engine-"+l+"-2", "extism-"+l+"-2", atLeast(5))
	}
	against("extism-go-decoder", "Go against Extism with the same decoder", "engine-go-2", "extism-go-decoder-2", nil)
	return s
}
