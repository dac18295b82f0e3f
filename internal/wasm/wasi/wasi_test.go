// SPDX-License-Identifier: Apache-2.0

package wasi

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// guest records the calls of the WASI functions.
type guest struct {
	charged  int
	slept    []time.Duration
	out, err bytes.Buffer
	// left is how many checks of the deadline succeed. If it is negative, all succeed.
	left int
}

type late struct{}

func (g *guest) MustContinue() {
	if g.left == 0 {
		panic(late{})
	}
	g.left--
}
func (g *guest) Charge(n int)          { g.charged += n }
func (g *guest) Sleep(d time.Duration) { g.slept = append(g.slept, d) }
func (g *guest) Random(p []byte)       { copy(p, bytes.Repeat([]byte{7}, len(p))) }
func (g *guest) Stdout() io.Writer     { return &g.out }
func (g *guest) Stderr() io.Writer     { return &g.err }

// memoryOf returns a module that has only a memory with the given number of pages.
func memoryOf(t *testing.T, pages byte) api.Module {
	t.Helper()
	r := wazero.NewRuntime(t.Context())
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	m, err := r.Instantiate(t.Context(), []byte{
		0, 'a', 's', 'm', 1, 0, 0, 0, 5, 3, 1, 0, pages, 7, 10, 1, 6, 'm', 'e', 'm', 'o', 'r', 'y', 2, 0,
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// do calls a function by name.
func do(t *testing.T, g *guest, m api.Module, name string, args ...uint64) errno {
	t.Helper()
	f, ok := Functions()[name]
	if !ok || len(args) != len(f.Params) {
		t.Fatalf("%s does not take %d arguments", name, len(args))
	}
	return f.do(&call{Guest: g, ctx: t.Context(), module: m, args: args})
}

// TestFunctions_signatures verifies that all functions of WASI preview 1 are implemented and have their signatures.
func TestFunctions_signatures(t *testing.T) {
	t.Parallel()
	r := wazero.NewRuntime(t.Context())
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	compiled, err := wasi_snapshot_preview1.NewBuilder(r).Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ours := Functions()
	for name, want := range compiled.ExportedFunctions() {
		got := ours[name]
		if !slices.Equal(got.Params, want.ParamTypes()) || !slices.Equal(got.Results, want.ResultTypes()) {
			t.Errorf("%s: got %v -> %v, want %v -> %v", name, got.Params, got.Results, want.ParamTypes(), want.ResultTypes())
		}
		delete(ours, name)
	}
	for name := range ours {
		t.Errorf("%s is not a function of WASI preview 1", name)
	}
	if err := Instantiate(t.Context(), r, nil); err != nil {
		t.Error(err)
	}
}

// TestFunctions_anyArguments verifies that every function returns whatever its arguments are: no function reads a path,
// uses a count above its limit, or panics.
func TestFunctions_anyArguments(t *testing.T) {
	t.Parallel()
	m := memoryOf(t, 1)
	for name, f := range Functions() {
		if name == "proc_exit" {
			continue
		}
		for _, value := range []uint64{0, 1, 2, 3, 1 << 16, 1<<31 - 1, 1<<32 - 1, 1<<64 - 1} {
			args := slices.Repeat([]uint64{value}, len(f.Params))
			result := do(t, &guest{left: -1}, m, name, args...)
			if strings.HasPrefix(name, "path_") && result != badf {
				t.Errorf("%s(%d…): got %d, want EBADF", name, value, result)
			}
		}
	}
}

func TestFunctions_streams(t *testing.T) {
	t.Parallel()
	g, m := &guest{left: -1}, memoryOf(t, 4)
	text := strings.Repeat("x", 3*chunk-1) + "\n"
	m.Memory().Write(1024, []byte(text))
	for i, v := range []uint32{1024, uint32(len(text)), 1024 + uint32(len(text)) - 1, 1} {
		m.Memory().WriteUint32Le(uint32(i)*4, v)
	}
	if e := do(t, g, m, "fd_write", stderr, 0, 2, 100); e != success || g.err.String() != text+"\n" || g.out.Len() > 0 {
		t.Errorf("fd_write: got %d and %d bytes", e, g.err.Len())
	}
	if n, _ := m.Memory().ReadUint32Le(100); int(n) != len(text)+1 || g.charged != len(text)+1 {
		t.Errorf("%d bytes were written and %d charged, want %d", n, g.charged, len(text)+1)
	}
	for name, tt := range map[string]struct {
		function string
		args     []uint64
		want     errno
	}{
		"too many buffers":     {"fd_write", []uint64{stdout, 0, maxVectors + 1, 100}, inval},
		"a buffer outside":     {"fd_write", []uint64{stdout, 4*65536 - 4, 1, 100}, fault},
		"standard input":       {"fd_write", []uint64{stdin, 0, 1, 100}, badf},
		"no such descriptor":   {"fd_write", []uint64{3, 0, 1, 100}, badf},
		"reading output":       {"fd_read", []uint64{stdout, 0, 1, 100}, badf},
		"reading input":        {"fd_read", []uint64{stdin, 0, 1, 100}, success},
		"no directory":         {"fd_prestat_get", []uint64{3, 100}, badf},
		"position of a stream": {"fd_seek", []uint64{stdout, 0, 0, 100}, spipe},
		"closing a stream":     {"fd_close", []uint64{stdout}, success},
		"closing another":      {"fd_close", []uint64{3}, badf},
		"socket":               {"sock_send", []uint64{stdout, 0, 0, 0, 0}, notsock},
		"stat outside":         {"fd_fdstat_get", []uint64{stdout, 4*65536 - 1}, fault},
	} {
		if got := do(t, g, m, tt.function, tt.args...); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
}

// TestFunctions_deadline verifies that a guest whose time runs out between two chunks is stopped there.
func TestFunctions_deadline(t *testing.T) {
	t.Parallel()
	m := memoryOf(t, 8)
	for name, args := range map[string][]uint64{"random_get": {0, 5 * chunk}, "fd_write": {stdout, 0, 1, 4}} {
		m.Memory().WriteUint32Le(0, 16)
		m.Memory().WriteUint32Le(4, 5*chunk)
		g := &guest{left: 2}
		func() {
			defer func() {
				if _, ok := recover().(late); !ok || g.charged != 2*chunk {
					t.Errorf("%s: %d bytes were charged, want %d", name, g.charged, 2*chunk)
				}
			}()
			do(t, g, m, name, args...)
		}()
	}
}

func TestFunctions_poll(t *testing.T) {
	t.Parallel()
	const out, result = 8192, 16384
	clockAfter := func(userdata uint64, d time.Duration) subscription {
		return subscription{userdata: userdata, kind: eventClock, wait: d}
	}
	for name, tt := range map[string]struct {
		in    []subscription
		slept []time.Duration
		want  []uint64 // userdata of the events
	}{
		"a timer":                  {[]subscription{clockAfter(1, time.Second)}, []time.Duration{time.Second}, []uint64{1}},
		"the soonest of two":       {[]subscription{clockAfter(1, time.Hour), clockAfter(2, time.Second)}, []time.Duration{time.Second}, []uint64{2}},
		"a timer that has fired":   {[]subscription{clockAfter(1, 0), clockAfter(2, time.Hour)}, nil, []uint64{1}},
		"a stream beside a timer":  {[]subscription{clockAfter(1, time.Hour), {userdata: 2, kind: eventRead}}, nil, []uint64{2}},
		"an end that is not there": {[]subscription{{userdata: 3, kind: eventWrite}}, nil, []uint64{3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, m := &guest{left: -1}, memoryOf(t, 1)
			for i, s := range tt.in {
				raw := make([]byte, subscriptionSize)
				le.PutUint64(raw, s.userdata)
				raw[8] = s.kind
				if s.kind == eventClock {
					le.PutUint32(raw[16:], clockMonotonic)
					le.PutUint64(raw[24:], uint64(s.wait))
				}
				m.Memory().Write(uint32(i)*subscriptionSize, raw)
			}
			if e := do(t, g, m, "poll_oneoff", 0, out, uint64(len(tt.in)), result); e != success {
				t.Fatalf("got %d", e)
			}
			n, _ := m.Memory().ReadUint32Le(result)
			var got []uint64
			for i := range n {
				userdata, _ := m.Memory().ReadUint64Le(out + i*eventSize)
				got = append(got, userdata)
			}
			if !slices.Equal(got, tt.want) || !slices.Equal(g.slept, tt.slept) {
				t.Errorf("got events %v after %v, want %v after %v", got, g.slept, tt.want, tt.slept)
			}
		})
	}
	g, m := &guest{left: -1}, memoryOf(t, 1)
	for _, count := range []uint64{0, maxSubscriptions + 1, 1 << 28} {
		if e := do(t, g, m, "poll_oneoff", 0, 0, count, result); e != inval {
			t.Errorf("%d subscriptions: got %d, want EINVAL", count, e)
		}
	}
	past := uint64(time.Now().Add(-time.Hour).UnixNano())
	if d, e := timer(clockRealtime, past, 1); d != 0 || e != success {
		t.Errorf("a time that has passed: got %v, %d", d, e)
	}
	if d, e := timer(clockRealtime, uint64(time.Now().Add(time.Hour).UnixNano()), 1); d <= 0 || d > time.Hour || e != success {
		t.Errorf("an absolute time: got %v, %d", d, e)
	}
}
