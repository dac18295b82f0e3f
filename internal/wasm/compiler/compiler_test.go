// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	Dispatch()
	os.Exit(m.Run())
}

// nested returns a module that rotates n locals in k nested loops. Each phi function of a nested loop costs the
// compiler work for all others.
func nested(n, k int) []byte {
	u := func(v int) []byte {
		var out []byte
		for ; v >= 0x80; v >>= 7 {
			out = append(out, byte(v)|0x80)
		}
		return append(out, byte(v))
	}
	sized := func(b []byte) []byte { return append(u(len(b)), b...) }
	code := append([]byte{1}, u(n)...)
	code = append(code, 0x7f) // n locals of i32
	for range k {
		code = append(code, 0x03, 0x40) // loop
	}
	for i := range n {
		code = append(append(code, 0x20), u((i+1)%n)...) // local.get
		code = append(append(code, 0x21), u(i)...)       // local.set
	}
	for range k {
		code = append(code, 0x20, 0, 0x0d, 0, 0x0b) // local.get 0, br_if 0, end
	}
	code = append(code, 0x0b)
	module := []byte{0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10}
	return append(module, sized(append([]byte{1}, sized(code)...))...)
}

func TestProcess_Compile(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := Process{Path: self, CacheDir: t.TempDir()}
	if err := p.Compile(t.Context(), nested(2, 2)); err != nil {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(p.CacheDir, "wazero-*", "*")); len(files) != 1 {
		t.Errorf("the cache directory has %q, want the native code of one module", files)
	}
	if err := p.Compile(t.Context(), []byte("\x00asm\x01\x00\x00\x00\x0a\x01\x01")); err == nil || errors.Is(err, ErrProcess) {
		t.Errorf("a module that is not valid: got %v", err)
	}
	p.Path = filepath.Join(p.CacheDir, "missing")
	if err := p.Compile(t.Context(), nested(2, 2)); !errors.Is(err, ErrProcess) {
		t.Errorf("a program that is missing: got %v, want ErrProcess", err)
	}
}

// TestProcess_Compile_limits verifies that the kernel stops a child at its limits, and that a child ends when its
// caller cancels.
func TestProcess_Compile_limits(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := Process{Path: self, CacheDir: t.TempDir()}
	p.Memory = 64 << 20
	if err := p.Compile(t.Context(), nested(3000, 100)); err == nil || !strings.Contains(err.Error(), "more than 64 MiB of memory") {
		t.Errorf("much memory: got %v", err)
	}
	p.Memory, p.CPU = 1<<30, time.Second
	if err := p.Compile(t.Context(), nested(3000, 100)); err == nil || !strings.Contains(err.Error(), "of processor time") {
		t.Errorf("much time: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Process{Path: self, CacheDir: t.TempDir()}.Compile(ctx, nested(10_000, 300)) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: got %v", err)
	}
}

// TestLimits_explain_late verifies that a compilation that is late because the machine is busy is not an error of the
// module, so that it is retried.
func TestLimits_explain_late(t *testing.T) {
	t.Parallel()
	err := Limits{CPU: time.Second}.explain(errors.New("signal: killed"), true, 300*time.Millisecond, "")
	if !errors.Is(err, ErrProcess) || !strings.Contains(err.Error(), "not ended after 20s") {
		t.Errorf("got %v", err)
	}
	// If nothing but the wall-clock limit applies, a module that takes too long is rejected.
	err = Limits{CPU: time.Second}.explain(errors.New("signal: killed"), true, 10*time.Second, "")
	if errors.Is(err, ErrProcess) || !strings.Contains(err.Error(), "more than 1s of processor time") {
		t.Errorf("got %v", err)
	}
}
