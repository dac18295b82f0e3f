// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

const goodRequest = `{"apiVersion":"v1","kind":"ConfigMap","namespace":"shop","name":"tools"}`

// hostTests are requests of the guest with the reply of the host, which the guest returns as its own reply.
var hostTests = []struct {
	name    string
	request string
	reply   string
	err     error
	kind    plugin.Kind // of the error of the call, or empty
	want    string      // in the reply or the error
	kept    bool
}{
	{name: "an object", request: goodRequest, reply: `{"data":{"a":"b"}}`, want: `{"data":{"a":"b"}}`, kept: true},
	{name: "an empty answer", request: goodRequest, kept: true},
	{
		name: "the API's own error", request: goodRequest, kept: true, kind: plugin.KindGuest,
		err:  apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, "tools"),
		want: `answered NotFound: configmaps "tools" not found`,
	},
	{name: "another error", request: goodRequest, err: errors.New("the mapper broke"), kind: plugin.KindGuest, want: "answered InternalError: the mapper broke", kept: true},
	{name: "a request that ran out of time by itself", request: goodRequest, err: context.DeadlineExceeded, kind: plugin.KindGuest, want: "answered Timeout", kept: true},
	{name: "an answer of more than a payload", request: goodRequest, reply: strings.Repeat("x", abi.MaxPayload+1), kind: plugin.KindGuest, want: "answered RequestEntityTooLarge", kept: true},
	{name: "an answer of more than the guest's memory", request: goodRequest, reply: strings.Repeat("x", 65*pageSize), kind: plugin.KindViolation, want: "returned 0: the guest is out of memory"},

	{name: "a request that is empty", request: "", kind: plugin.KindGuest, want: "answered BadRequest: empty payload", kept: true},
	{name: "a request that is no JSON", request: "{", kind: plugin.KindGuest, want: "answered BadRequest: decode payload", kept: true},
	{name: "a request with a member too many", request: `{"apiVersion":"v1","resource":"x"}`, kind: plugin.KindGuest, want: `BadRequest: decode payload: json: unknown field "resource"`, kept: true},
	{name: "two requests in one", request: goodRequest + goodRequest, kind: plugin.KindGuest, want: "BadRequest: decode payload: more than one JSON value", kept: true},
	{name: "a request of another type", request: `["v1"]`, kind: plugin.KindGuest, want: "answered BadRequest", kept: true},
	{name: "a request nested without end", request: strings.Repeat("[", 50_000), kind: plugin.KindGuest, want: "answered BadRequest", kept: true},
}

func TestHost_responses(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	for _, tt := range hostTests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			r := load(t, e, "modes", withHost(func(_ context.Context, req abi.ObjectKey) ([]byte, error) {
				asked++
				if want := (abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "tools"}); req != want {
					t.Errorf("asked for %+v", req)
				}
				return []byte(tt.reply), tt.err
			}))
			calls(t, r)
			reply, err := mode(t.Context(), r, 'i', []byte(tt.request)...)
			if tt.kind == "" {
				if err != nil || string(reply) != tt.want {
					t.Errorf("got %q and %v, want %q", reply, err, tt.want)
				}
			} else if plugin.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s: %s", err, tt.kind, tt.want)
			}
			if want := tt.request == goodRequest; (asked == 1) != want {
				t.Errorf("the host was asked %d times", asked)
			}
			if kept := calls(t, r) == 2; kept != tt.kept {
				t.Errorf("the instance lives on: %v, want %v", kept, tt.kept)
			}
		})
	}
}

func TestHost_badPointer(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	tests := []struct {
		name        string
		ptr, length uint32
		want        string
	}{
		{"past the end", 65536, 1, "1 bytes at 65536: outside the memory of 65536 bytes"},
		{"over the end by one", 65535, 2, "outside the memory"},
		{"around the end of the address space", 0xffffffff, 2, "outside the memory"},
		{"of 2 GiB", 0, 1 << 31, "more than the 16777216 allowed"},
		{"of 4 GiB", 0, 0xffffffff, "more than the 16777216 allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := load(t, e, "modes", withHost(func(context.Context, abi.ObjectKey) ([]byte, error) {
				t.Error("the host was asked")
				return nil, nil
			}))
			calls(t, r)
			_, err := mode(t.Context(), r, 'j', u32(tt.ptr, tt.length)...)
			if plugin.KindOf(err) != plugin.KindViolation || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s: %s", err, plugin.KindViolation, tt.want)
			}
			if calls(t, r) != 1 {
				t.Error("the instance lives on")
			}
		})
	}
}

// TestHost_panics verifies that a panic of a host function fails that call.
func TestHost_panics(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	r := load(t, e, "modes", withHost(func(context.Context, abi.ObjectKey) ([]byte, error) { panic("a fault of the host's own") }))
	if _, err := mode(t.Context(), r, 'i', []byte(goodRequest)...); plugin.KindOf(err) != plugin.KindTrap || !strings.Contains(err.Error(), "a fault of the host's own") {
		t.Errorf("got %v", err)
	}
	if got := calls(t, r); got != 1 {
		t.Errorf("call %d, want 1: the instance is another", got)
	}
}

// TestHost_none verifies that a guest without a host gets the same error as a guest outside the export of a capability.
func TestHost_none(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	r := load(t, e, "modes")
	if _, err := mode(t.Context(), r, 'i', []byte(goodRequest)...); plugin.KindOf(err) != plugin.KindGuest || !strings.Contains(err.Error(), "answered Forbidden") {
		t.Errorf("got %v, want Forbidden", err)
	}
}

// TestHost_deadline verifies that a host function that blocks ends when the call times out, and that the guest does not
// continue, even if the host function succeeds.
func TestHost_deadline(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	for name, err := range map[string]error{"fails": context.DeadlineExceeded, "succeeds": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			host := func(ctx context.Context, _ abi.ObjectKey) ([]byte, error) {
				asked++
				<-ctx.Done()
				return nil, err
			}
			r := load(t, e, "modes", withHost(host))
			if _, err := within(r, true, func() ([]byte, error) { return mode(t.Context(), r, 'w', []byte(goodRequest)...) }); plugin.KindOf(err) != plugin.KindTimeout {
				t.Errorf("got %v, want %s", err, plugin.KindTimeout)
			}
			if asked != 1 {
				t.Errorf("the host was asked %d times, want 1", asked)
			}
			if got := calls(t, r); got != 1 {
				t.Errorf("call %d, want 1: the instance is another", got)
			}
		})
	}
}
