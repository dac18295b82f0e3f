// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/test/bench/guest"
	"github.com/k1s-io/k1s/test/bench/peer"
	"github.com/k1s-io/k1s/test/bench/work"
)

// built is the directory in which guests/build.sh stores the guests.
const built = guest.Dir("../../bin/bench")

func read(tb testing.TB, name string) []byte {
	tb.Helper()
	module, err := built.Read(name)
	if missing := guest.MissingError(""); errors.As(err, &missing) {
		tb.Skip(missing)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return module
}

// scenarios returns requests and the Categories that the guests read: those of the benchmark, and JSON that is harder
// to parse.
func scenarios() map[string]struct{ request, category []byte } {
	type scenario = struct{ request, category []byte }
	change := func(text []byte, pairs ...string) []byte {
		return []byte(strings.NewReplacer(pairs...).Replace(string(text)))
	}
	return map[string]scenario{
		"the benchmark's": {work.Input(), work.Category()},
		"another Item": {
			change(work.Input(), `"laptop-14"`, `"laptop-99"`, `"quantity":12`, `"quantity":0`, `"reserved"`, `"used"`), work.Category(),
		},
		"discontinued": {change(work.Input(), `"portable"`, `"discontinued"`), work.Category()},
		"escapes": {
			change(work.Input(), `"Laptop 14\" \u0026 dock"`, `"\u00e4\u20AC\ud83d\ude00\\\/\b\f\n\r\t \"x\" and a long rest"`),
			change(work.Category(), `"Laptops"`, `"L\u0061ptops 💻"`),
		},
		"spaces": {spaced(work.Input()), spaced(work.Category())},
		"nulls and nothing": {
			change(work.Input(), `"price":149900`, `"price":null`, `["new","portable","business","reserved"]`, `[]`), change(work.Category(), `"depth":2`, `"depth":null`),
		},
		"gone":          {[]byte(`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item","namespace":"shop","name":"x","object":null,"attempt":1}`), work.Category()},
		"another kind":  {change(work.Input(), `"kind":"Item"`, `"kind":"Category"`), work.Category()},
		"minus numbers": {change(work.Input(), `"quantity":12`, `"quantity":-12`), work.Category()},
	}
}

// spaced returns JSON with white space wherever it is allowed.
func spaced(text []byte) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, text, "\r\n", "\t "); err != nil {
		panic(err) // only a programming error can cause this
	}
	return b.Bytes()
}

// checkAll compares the replies of a guest with those of the native code.
func checkAll(t *testing.T, call func(t *testing.T, request, category []byte) []byte) {
	t.Helper()
	for name, s := range scenarios() {
		t.Run(name, func(t *testing.T) {
			want, err := work.Run(s.request, func(request []byte) ([]byte, error) { return s.category, asksForCategory(request) })
			if err != nil {
				t.Fatal(err)
			}
			if got := call(t, s.request, s.category); !bytes.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func asksForCategory(request []byte) error {
	var key abi.ObjectKey
	if err := abi.Decode(request, &key); err != nil {
		return err
	}
	if key != work.CategoryKey() {
		return fmt.Errorf("asked for %v", key)
	}
	return nil
}

func TestGuests_answerAsNative(t *testing.T) {
	t.Parallel()
	for _, language := range guest.Languages() {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			module := plugin.NewModule(read(t, language+"-k1s"))
			engine := newEngine(t.Context(), "")
			host := guest.NewHost()
			runner, _, err := engine.Load(t.Context(), loadRequest(module, host))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := errors.Join(runner.Close(context.Background()), engine.Close(context.Background())); err != nil {
					t.Error(err)
				}
			})
			checkAll(t, func(t *testing.T, request, category []byte) []byte {
				host.Category = category
				reply, err := runner.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile, Input: request})
				if err != nil {
					t.Fatal(err)
				}
				return reply
			})
		})
	}
}

func TestExtism_answersAsNative(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"c-extism", "rust-extism", "go-extism", "go-extism-decoder"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := peer.NewExtism(t.Context(), read(t, name), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = p.Close() }) // it only frees memory
			checkAll(t, func(t *testing.T, request, category []byte) []byte {
				p.Category = category
				reply, err := p.Reconcile(t.Context(), request)
				if err != nil {
					t.Fatal(err)
				}
				return reply
			})
		})
	}
}
