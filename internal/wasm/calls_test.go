// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// violationTests are the cases of the section "What a violation leads to" of the specification that the guest causes by
// itself, without the host. The fixture modes has one page of memory.
var violationTests = []struct {
	name     string
	mode     byte
	argument []byte
	timeout  bool        // whether the call must time out
	kind     plugin.Kind // of the error, or empty
	want     string      // in the error, or the reply
	kept     bool        // whether the instance is kept
}{
	{name: "answers", mode: 'a', argument: []byte("hello"), want: "hello", kept: true},
	{name: "empty reply that points somewhere", mode: 'v', kept: true},
	{name: "reply that ends with the memory", mode: 'c', argument: u64(65535<<32 | 1), want: "\x00", kept: true},

	{name: "answers an error", mode: 'b', argument: []byte(`{"reason":"Conflict","message":"too late"}`), kind: plugin.KindGuest, want: "guest reconcile answered Conflict: too late", kept: true},
	{name: "error without bytes", mode: 'b', kind: plugin.KindGuest, want: "answered Unknown: the guest gave no message", kept: true},
	{name: "error without bytes or pointer", mode: 'c', argument: u64(1 << 31), kind: plugin.KindGuest, want: "gave no message", kept: true},
	{name: "error that is no JSON", mode: 'b', argument: []byte("oh no"), kind: plugin.KindViolation, want: "error reply is not a Status"},
	{name: "error outside the memory", mode: 'c', argument: u64(65535<<32 | 1<<31 | 2), kind: plugin.KindViolation, want: "2 bytes at 65535: outside the memory of 65536 bytes"},
	{name: "error of lines and control characters", mode: 'b', argument: []byte(`{"reason":"A\nB","message":"one\ntwo\u001b[31m"}`), kind: plugin.KindGuest, want: "answered A B: one two [31m", kept: true},
	{name: "error of endless words", mode: 'b', argument: []byte(`{"reason":"` + strings.Repeat("r", 4096) + `","message":"` + strings.Repeat("m", 8192) + `"}`), kind: plugin.KindGuest, want: "r…: mmm", kept: true},

	{name: "unreachable", mode: 'd', argument: []byte("panic: nil\nmap\n"), kind: plugin.KindTrap, want: "Trap: unreachable in $19 < $12; standard error: panic: nil map"},
	{name: "out of bounds", mode: 'e', kind: plugin.KindTrap, want: "out of bounds memory access"},
	{name: "recursion", mode: 'f', kind: plugin.KindTrap, want: "call stack exhausted: its calls are nested beyond the 4096 KiB of stack"},
	{name: "no such function in the table", mode: 'z', kind: plugin.KindTrap, want: "invalid table access"},
	{name: "endless loop", mode: 'g', timeout: true, kind: plugin.KindTimeout, want: "the call ran past spec.runtime.timeoutSeconds"},
	{name: "sleep beyond the end", mode: 'q', argument: u64(uint64(time.Hour)), timeout: true, kind: plugin.KindTimeout, want: "ran past"},
	{name: "exit", mode: 'h', argument: u32(7), kind: plugin.KindExit, want: "the guest exited with code 7"},
	{name: "exit with success", mode: 'h', argument: u32(0), kind: plugin.KindExit, want: "code 0"},
	{name: "exit with -1, which is the engine's code of a canceled call", mode: 'h', argument: u32(0xffffffff), kind: plugin.KindExit, want: "code 4294967295"},
	{name: "exit with the engine's code of a call beyond its time", mode: 'h', argument: u32(0xefffffff), kind: plugin.KindExit, want: "code 4026531839"},

	{name: "reply past the end", mode: 'c', argument: u64(65536<<32 | 1), kind: plugin.KindViolation, want: "reply: 1 bytes at 65536: outside the memory of 65536 bytes"},
	{name: "reply over the end by one", mode: 'c', argument: u64(65535<<32 | 2), kind: plugin.KindViolation, want: "outside the memory"},
	{name: "reply of 2 GiB", mode: 'c', argument: u64(16<<32 | 1<<31 - 1), kind: plugin.KindViolation, want: "2147483647 bytes at 16: more than the 16777216 allowed"},
	{name: "reply of one byte too many", mode: 'c', argument: u64(16<<32 | abi.MaxPayload + 1), kind: plugin.KindViolation, want: "more than the 16777216 allowed"},
	{name: "reply around the end of the address space", mode: 'c', argument: u64(0xffffffff<<32 | 2), kind: plugin.KindViolation, want: "outside the memory"},

	{name: "memory beyond the limit", mode: 'm', argument: u32(64), want: "\xff\xff\xff\xff", kept: true},
	{name: "memory up to the limit", mode: 'm', argument: u32(63), want: "\x01\x00\x00\x00", kept: true},
	{name: "memory of nearly the whole address space", mode: 'm', argument: u32(65535), want: "\xff\xff\xff\xff", kept: true},
	{name: "table beyond the limit", mode: 'r', argument: u32(1 << 31), want: "\xff\xff\xff\xff", kept: true},
	{name: "table within the limit", mode: 'r', argument: u32(100), want: "\x17\x00\x00\x00", kept: true},
	{name: "random bytes beyond the limit", mode: 'l', argument: u32(0, abi.MaxRandom+1), kind: plugin.KindViolation, want: "k1s_random was asked for 65537 bytes"},
	{name: "random bytes outside the memory", mode: 'l', argument: u32(65535, 2), kind: plugin.KindViolation, want: "given 2 bytes at 65535: outside"},
	{name: "log from outside the memory", mode: 'u', argument: u32(0xffffffff, 1), kind: plugin.KindViolation, want: "given 1 bytes at 4294967295: outside"},
	{name: "log of 2 GiB", mode: 'u', argument: u32(0, 1<<31), kind: plugin.KindViolation, want: "more than the 16777216 allowed"},
}

func TestRunner_Call_violations(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	for _, tt := range violationTests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := load(t, e, "modes")
			before := calls(t, r)
			reply, err := within(r, tt.timeout, func() ([]byte, error) { return mode(t.Context(), r, tt.mode, tt.argument...) })
			if tt.kind == "" {
				if err != nil || string(reply) != tt.want {
					t.Errorf("got %q and %v, want %q", reply, err, tt.want)
				}
			} else if got := plugin.KindOf(err); got != tt.kind || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %s: %v\nwant %s: %s", got, err, tt.kind, tt.want)
			}
			if len(reply) > 0 && err != nil {
				t.Errorf("there is a reply as well as an error: %q", reply)
			}
			if len(errorText(err)) > 8<<10 {
				t.Errorf("the error has %d bytes", len(errorText(err)))
			}
			if kept := calls(t, r) == before+1; kept != tt.kept {
				t.Errorf("the instance lives on: %v, want %v", kept, tt.kept)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestRunner_Call_anyReply verifies that the host survives any reply of a guest, and that the result is bytes of the
// guest or an error.
func TestRunner_Call_anyReply(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	r := load(t, e, "modes")
	edges := []uint64{0, 1, 15, 65535, 65536, 65537, abi.MaxPayload, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<31 | 65536, 1<<32 - 1}
	for _, ptr := range edges {
		for _, length := range edges {
			reply, err := mode(t.Context(), r, 'c', u64(ptr<<32|length)...)
			var call *plugin.CallError
			if err != nil && !errors.As(err, &call) {
				t.Errorf("%#x, %#x: got %v, want a CallError", ptr, length, err)
			}
			if inside := ptr+length <= 65536; (err == nil) != inside && length < 1<<31 && length > 0 {
				t.Errorf("%#x, %#x: got %v", ptr, length, err)
			}
			if err == nil && len(reply) != int(length) {
				t.Errorf("%#x, %#x: got %d bytes", ptr, length, len(reply))
			}
		}
	}
}

// TestRunner_Call_largest verifies that payloads of the maximum size work in both directions, and that a larger input
// is an error of the caller.
func TestRunner_Call_largest(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	r := load(t, e, "modes", func(req *plugin.LoadRequest) { req.Limits.MaxMemoryPages = 300 })
	payload := bytes.Repeat([]byte("k1s!"), abi.MaxPayload/4-1)
	reply, err := mode(t.Context(), r, 'a', payload...)
	if err != nil || !bytes.Equal(reply, payload) {
		t.Errorf("got %d bytes and %v", len(reply), err)
	}
	if _, err := mode(t.Context(), r, 'a', make([]byte, abi.MaxPayload)...); plugin.KindOf(err) != plugin.KindInput {
		t.Errorf("got %v, want %s", err, plugin.KindInput)
	}
	if got := calls(t, r); got != 1 {
		t.Errorf("call %d, want 1", got)
	}
}
