// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"strings"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// traps returns attacks that trap or exit in every export, in every way.
func traps() []attack {
	trap := func(trick, want string) attack {
		return attack{name: "traps/" + trick, at: fails, kind: plugin.KindTrap, want: want}
	}
	return []attack{
		trap("a", "unreachable"),
		trap("b", "integer divide by zero"),
		trap("c", "integer overflow"),
		trap("d", "invalid conversion to integer"),
		trap("e", "integer overflow"),
		trap("f", "out of bounds memory access"),
		trap("g", "out of bounds memory access"),
		trap("h", "out of bounds memory access"),
		trap("i", "indirect call type mismatch"),
		trap("j", "invalid table access"),
		trap("k", "invalid table access"),
		trap("l", "invalid table access"),
		trap("m", "invalid table access"),
		trap("n", "out of bounds memory access"),
		trap("o", "out of bounds memory access"),
		trap("p", "integer divide by zero"),
		{name: "trap_nth", at: fails, kind: plugin.KindTrap, want: "unreachable", peaceful: 2},
		{name: "trap_metadata", at: describes, reason: pluginsv1alpha1.ReasonInvalidMetadata, want: "guest k1s_metadata: Trap: unreachable"},
		{name: "trap_version", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "guest k1s_abi_version: Trap: unreachable"},
		{name: "trap_start", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "start function: Trap: unreachable"},
		{name: "trap_reactor", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "guest _initialize: Trap: integer overflow"},
		{name: "trap_initialize", at: loads, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "guest k1s_initialize: Trap: integer divide by zero"},
		{name: "trap_health", at: loads, reason: pluginsv1alpha1.ReasonHealthCheckFailed, want: "guest k1s_health: Trap: out of bounds memory access"},
		{name: "trap_shutdown", at: closes, want: "guest k1s_shutdown: Trap: unreachable"},
	}
}

// replies returns attacks with invalid replies.
func replies() []attack {
	wrong := func(trick, want string) attack {
		return attack{name: "replies/" + trick, at: fails, kind: plugin.KindViolation, want: want, pages: 300}
	}
	return []attack{
		wrong("a", "reply: 1 bytes at 19660800: outside the memory of 19660800 bytes"),
		wrong("b", "reply: 2 bytes at 19660799: outside the memory"),
		wrong("c", "reply: 2147483647 bytes at 16: more than the 16777216 allowed"),
		wrong("d", "reply: 2147483647 bytes at 16: more than the 16777216 allowed"),
		wrong("e", "reply: 16777217 bytes at 65536: more than the 16777216 allowed"),
		wrong("f", "reply: 2 bytes at 4294967295: outside the memory"),
		wrong("g", "reply: 2147483647 bytes at 4294967295: more than"),
		wrong("h", `invalid character '\x00'`),
		wrong("i", "invalid character 'o'"),
		wrong("j", "cannot unmarshal string"),
		wrong("k", "cannot unmarshal number 1e400"),
		wrong("l", "more than one JSON value"),
		wrong("m", "a negative time"),
		wrong("n", `unknown field "requeue"`),
		wrong("o", "exceeded max depth"),
		wrong("p", "error reply of 1000000 bytes is larger than the 65536 allowed"),
		{name: "replies/q", at: fails, kind: plugin.KindGuest, want: "answered Unknown: the guest gave no message", pages: 300},
		{name: "replies/r", at: fails, kind: plugin.KindGuest, want: "answered Unknown: \uFFFD", pages: 300},
		{name: "reply_large", at: succeeds, want: "{}" + strings.Repeat(" ", 16<<20-2), pages: 300},
		{name: "reply_error_large", at: fails, kind: plugin.KindViolation, want: "larger than the 65536 allowed", pages: 300},
		{name: "reply_overwritten", at: succeeds, want: "hostile"},
		{name: "metadata_changes", at: succeeds},
		{name: "metadata_deep", at: describes, reason: pluginsv1alpha1.ReasonInvalidMetadata, want: "exceeded max depth"},
	}
}

// requests returns attacks that give host functions memory that they must not read or write.
func requests() []attack {
	stopped := func(trick, want string) attack {
		return attack{name: "requests/" + trick, at: fails, kind: plugin.KindViolation, want: want, pages: 300}
	}
	badRequest := func(trick, want string) attack {
		return attack{name: "requests/" + trick, at: fails, kind: plugin.KindGuest, want: "guest reconcile answered BadRequest: " + want, pages: 300}
	}
	return []attack{
		stopped("a", "a host function was given 1 bytes at 19660800: outside the memory"),
		stopped("b", "a host function was given 4294967295 bytes at 16: more than the 16777216 allowed"),
		stopped("c", "a host function was given 16 bytes at 4294967288: outside the memory"),
		stopped("d", "a host function was given 16777217 bytes at 0: more than the 16777216 allowed"),
		stopped("e", "a host function was given 1 bytes at 4294967295: outside the memory"),
		stopped("f", "a host function was given 4294967295 bytes at 0: more than"),
		stopped("g", "a host function was given 2 bytes at 19660799: outside the memory"),
		stopped("h", "k1s_random was asked for 65537 bytes, more than the 65536 allowed"),
		{name: "requests/i", at: succeeds, pages: 300},
		badRequest("j", "empty payload"),
		{name: "requests/k", at: fails, kind: plugin.KindGuest, want: "a request of 16777216 bytes is larger than the 65536 that k1s_client_get takes", pages: 300},
		badRequest("l", `decode payload: json: unknown field "version"`),
		{name: "request_twins", at: succeeds, want: found},
	}
}

// states returns attacks that try to pass state to later instances.
func states() []attack {
	perCall := func(a attack) attack {
		a.name, a.perCall = a.name+"/perCall", true
		return a
	}
	dirty := attack{name: "image_dirty", at: fails, kind: plugin.KindTrap, want: "unreachable"}
	tables := attack{name: "image_tables", at: fails, kind: plugin.KindTrap, want: "unreachable"}
	return []attack{
		dirty, perCall(dirty),
		tables, perCall(tables),
		perCall(endless("loop_reconcile")),
		// Each call is the first one of an instance, so no instance reaches its third call.
		perCall(attack{name: "trap_nth", at: succeeds, peaceful: 2}),
		perCall(attack{name: "loop_nth", at: succeeds, peaceful: 2}),
	}
}

// shapes returns modules that are invalid, or that use names that are reserved for the engine.
func shapes() []attack {
	rejected := func(name, reason, want string) attack {
		return attack{name: name, at: describes, reason: reason, want: want}
	}
	return []attack{
		rejected("duplicate_export", pluginsv1alpha1.ReasonInvalidModule, "reconcile"),
		rejected("wrong_signature", pluginsv1alpha1.ReasonMissingExport, `exports "reconcile" as (i32, i32) -> (i64, i64)`),
		rejected("wrong_kind", pluginsv1alpha1.ReasonMissingExport, `exports "k1s_initialize" as table`),
		rejected("missing_alloc", pluginsv1alpha1.ReasonMissingExport, `no export "k1s_alloc"`),
		rejected("missing_reconcile", pluginsv1alpha1.ReasonMissingExport, `no export "reconcile"`),
		rejected("missing_memory", pluginsv1alpha1.ReasonMissingExport, `does not export a memory`),
		rejected("imports_memory", pluginsv1alpha1.ReasonUnknownImport, `imports the memory "env" "memory"`),
		rejected("data_outside", pluginsv1alpha1.ReasonInitializeFailed, "could not be instantiated"),
		rejected("data_overflow", pluginsv1alpha1.ReasonInitializeFailed, "could not be instantiated"),
		// wazero leaves out such a segment, where WebAssembly would trap.
		{name: "elements_outside", at: succeeds},
		{name: "unaligned", at: succeeds, want: "\x01\x02\x03\x04\x05\x06\x07\x08"},

		// Proposals beyond WebAssembly 2.0.
		rejected("threads", pluginsv1alpha1.ReasonInvalidModule, ""),
		rejected("tail_calls", pluginsv1alpha1.ReasonInvalidModule, ""),
		rejected("exceptions", pluginsv1alpha1.ReasonInvalidModule, ""),
		rejected("memory64", pluginsv1alpha1.ReasonInvalidModule, ""),
		rejected("memories", pluginsv1alpha1.ReasonInvalidModule, ""),

		// Names that are reserved for the engine.
		rejected("reserved_import", pluginsv1alpha1.ReasonUnknownImport, `imports the func "k1s:meter" "yield"`),
		rejected("reserved_fuel", pluginsv1alpha1.ReasonInvalidModule, `exports "k1s:fuel", and names that begin with "k1s:" are reserved`),
		rejected("reserved_stack", pluginsv1alpha1.ReasonInvalidModule, `exports "k1s:stack", and names`),
		rejected("reserved_global", pluginsv1alpha1.ReasonInvalidModule, `exports "k1s:global:0", and names`),
		rejected("reserved_start", pluginsv1alpha1.ReasonInvalidModule, `exports "k1s:start", and names`),
	}
}
