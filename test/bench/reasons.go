// SPDX-License-Identifier: Apache-2.0

package main

// reasons say why rows miss their targets, by the name of the row. They are shown only if the target is missed. A row
// whose reason is not known has no entry.
var reasons = map[string]string{
	"reconcile-rust-p50": "two thirds of it are the guest itself, as its metered figure below shows, and serde_json is most of that; the rest is the engine's part of a call.",
	"reconcile-go-p50": "most of it is the guest itself, as its figure without protection below shows: Go in WebAssembly has its own " +
		"allocator and garbage collector, and its compiler's code is larger and slower than that of the other languages.",
	"metering-against-close-go": "it is near its target, and the runs of one machine differ: 3.7 and 4.2 times in two of them.",
	"calls-rust":                "two callers need both cores for themselves; what the cores' CPU time would give stands beside it.",
	"calls-queue-rust": "the API server, etcd and the embedded controllers run on the same cores, and controller-runtime's queue takes its " +
		"part of each call.",
	"calls-against-goplugin": "a call of go-plugin takes less on this machine than the 330 µs that the target was set by, and its two processes use both cores.",
	"instance-go":            "wazero fills a Go module's table of some 5,000 functions anew for each instance, one by one; that is two fifths of it.",
	"load-go":                "wazero validates every function of a module again, although its native code comes from the cache; that is a third of the time. Reading the native code is most of the rest.",
	"swap-gap": "the API server, etcd and whoever creates Items run on the same two cores. Under the same load without a swap the longest time, which " +
		"stands beside it, misses the target too.",
}
