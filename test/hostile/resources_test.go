// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// memories returns attacks that take all memory and table elements, or move them forever.
func memories() []attack {
	// bulk returns an attack that moves 64 MiB or a million elements by one instruction.
	bulk := func(name string) attack {
		a := endless(name)
		a.pages = 1024
		return a
	}
	return []attack{
		{name: "memory_pages", at: succeeds, want: "\x40\x00\x00\x00"},
		{name: "memory_maximum", at: succeeds, want: "\xff\xff\xff\xff"},
		{name: "memory_beyond", at: fails, kind: plugin.KindTrap, want: "out of bounds memory access"},
		{name: "memory_minimum", at: describes, reason: pluginsv1alpha1.ReasonMemoryLimit, want: "needs 65 pages"},
		{name: "memory_start", at: succeeds},
		endless("memory_loop"),
		endless("memory_touch"),
		bulk("fill_loop"),
		bulk("fill_tree"),
		bulk("fill_straight"),
		bulk("copy_tree"),
		bulk("init_tree"),
		bulk("table_fill"),
		bulk("table_copy"),
		endless("table_grow"),
		{name: "table_grow_most", at: succeeds, want: "\xff\xff\xff\xff\xff\xff\xff\xff"},
		{name: "table_large", at: succeeds, want: "\x40\x42\x0f\x00"},
		{name: "table_huge", at: describes, reason: pluginsv1alpha1.ReasonInvalidModule, want: "more than 1000000 elements in all tables"},
		{name: "table_many", at: describes, reason: pluginsv1alpha1.ReasonInvalidModule, want: "more than 1000000 elements in all tables"},
	}
}

// worlds returns attacks that flood the log, or misuse WASI.
func worlds() []attack {
	exits := func(name, want string) attack {
		return attack{name: name, at: fails, kind: plugin.KindExit, want: want}
	}
	return []attack{
		endless("flood_log"),
		endless("flood_events"),
		endless("flood_output"),
		endless("flood_vectors"),

		exits("exits/a", "the guest exited with code 0"),
		exits("exits/b", "the guest exited with code 1"),
		exits("exits/c", "the guest exited with code 255"),
		exits("exits/d", "the guest exited with code 4294967295"),
		exits("exits/e", "the guest exited with code 4026531839"),
		{name: "exit_start", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "start function: Exit: the guest exited with code 0"},
		{name: "exit_reactor", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "guest _initialize: Exit: the guest exited with code 4294967295"},
		{name: "exit_metadata", at: describes, reason: pluginsv1alpha1.ReasonInvalidMetadata, want: "guest k1s_metadata: Exit: the guest exited with code 0"},
		{name: "exit_shutdown", at: closes, want: "guest k1s_shutdown: Exit: the guest exited with code 0"},

		endless("sleep"),
		endless("sleep_short"),
		{name: "sleep_start", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "start function: Timeout: the call " + ranPast},
		{name: "poll_many", at: succeeds}, // more subscriptions than allowed
		endless("poll_input"),
		{name: "poll_overflow", at: succeeds},
		endless("random_huge"),
		{name: "wasi_world", at: succeeds, want: "\x01\x01\x01\x01\x01"},
		{name: "wasi_close", at: succeeds},

		{name: "start_host", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "start function: Violation: the module's start function called a host function that replies"},
		{name: "start_log", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "start function: Timeout: the call " + ranPast},
		{name: "start_outside", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "start function: Violation: a host function was given 100 bytes at 4294967295: outside"},
	}
}
