// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// ranPast is a part of the error of a call that was stopped by its deadline.
const ranPast = "ran past spec.runtime.timeoutSeconds"

// endless returns an attack that only the deadline of its call stops.
func endless(name string) attack {
	return attack{name: name, at: fails, kind: plugin.KindTimeout, want: ranPast}
}

// loops returns attacks that never return.
func loops() []attack {
	return []attack{
		{name: "loop_metadata", at: describes, reason: pluginsv1alpha1.ReasonInvalidMetadata, want: "guest k1s_metadata: Timeout: the call " + ranPast},
		{name: "loop_version", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "guest k1s_abi_version: Timeout: the call " + ranPast},
		{name: "loop_start", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "start function: Timeout: the call " + ranPast},
		{name: "loop_reactor", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "guest _initialize: Timeout: the call " + ranPast},
		{name: "loop_initialize", at: loads, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "guest k1s_initialize: Timeout: the call " + ranPast},
		{name: "loop_health", at: loads, reason: pluginsv1alpha1.ReasonHealthCheckFailed, want: "guest k1s_health: Timeout: the call " + ranPast},
		{name: "loop_shutdown", at: closes, want: "guest k1s_shutdown: Timeout"},
		endless("loop_alloc"),
		endless("loop_reconcile"),
		endless("loop_table"),
		endless("loop_values"),
		endless("loop_calls"),
		endless("loop_nested"),
		{name: "loop_nth", at: fails, kind: plugin.KindTimeout, want: ranPast, peaceful: 2},

		// Loops that call host functions.
		endless("loop_forbidden"),
		{name: "loop_forbidden_initialize", at: loads, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "guest k1s_initialize: Timeout: the call " + ranPast},
		endless("loop_bad_request"),
		endless("loop_now"),
		endless("loop_random"),
		endless("loop_yield"),
		endless("host_block"),
	}
}

// tooDeep is a part of the error of a call that exceeds the call stack.
const tooDeep = "call stack"

// calls returns attacks that run out of time or of stack without a loop.
func calls() []attack {
	deep := func(name string) attack {
		return attack{name: name, at: fails, kind: plugin.KindTrap, want: tooDeep}
	}
	return []attack{
		endless("tree_exponential"),
		endless("tree_recursive"),
		endless("tree_indirect"),
		endless("recursion_below"),
		deep("recursion_direct"),
		deep("recursion_mutual"),
		deep("recursion_table"),
		deep("recursion_frames"),
		deep("recursion_alloc"),
		deep("recursion_forgotten"),
		{name: "recursion_metadata", at: describes, reason: pluginsv1alpha1.ReasonInvalidMetadata, want: tooDeep},
		{name: "recursion_start", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: tooDeep},
	}
}

// burns returns attacks that exceed their fuel long before their timeout.
func burns() []attack {
	burnt := func(name string) attack {
		return attack{
			name: name + "/fuel", at: fails, kind: plugin.KindFuel, fuel: 10_000_000, pages: 1024,
			want: "the call ran more than the 10000000 instructions of spec.runtime.fuel",
		}
	}
	return []attack{
		burnt("loop_reconcile"),
		burnt("loop_now"),
		burnt("tree_exponential"),
		burnt("recursion_below"),
		burnt("fill_straight"),
		burnt("copy_tree"),
		burnt("table_fill"),
		{
			name: "loop_metadata/fuel", at: describes, reason: pluginsv1alpha1.ReasonInvalidMetadata, fuel: 10_000_000,
			want: "guest k1s_metadata: Fuel: the call ran more than the 10000000 instructions",
		},
		{name: "memory_pages/fuel", at: succeeds, fuel: 10_000_000, want: "\x40\x00\x00\x00"},
	}
}

// allocs returns attacks whose k1s_alloc violates the ABI or misbehaves.
func allocs() []attack {
	lies := func(name, want string) attack {
		return attack{name: name, at: fails, kind: plugin.KindViolation, want: want}
	}
	return []attack{
		lies("alloc_zero", "k1s_alloc(7) returned 0: the guest is out of memory"),
		lies("alloc_outside", "k1s_alloc(7) returned 65536, which is outside the memory of 65536 bytes"),
		lies("alloc_end", "k1s_alloc(7) returned 65530, which is outside"),
		lies("alloc_negative", "k1s_alloc(7) returned 4294967295, which is outside"),
		lies("alloc_host", "k1s_alloc called a host function that replies"),
		{name: "alloc_trap", at: fails, kind: plugin.KindTrap, want: "unreachable"},
		{name: "alloc_exit", at: fails, kind: plugin.KindExit, want: "the guest exited with code 0"},
		{name: "alloc_reply_trap", at: fails, kind: plugin.KindTrap, want: "unreachable"},
		endless("alloc_reply_loop"),
		// A guest can do with its own memory whatever it likes.
		{name: "alloc_metadata", at: succeeds},
		{name: "alloc_log", at: succeeds},
		{name: "alloc_grow", at: succeeds, want: "hostile"},
		{name: "alloc_grow_reply", at: succeeds, want: found},
		{name: "alloc_same", at: succeeds, want: found},
	}
}
