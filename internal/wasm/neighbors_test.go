// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
)

// TestEngine_Load_settings verifies that revisions of one module with different settings share its code and nothing
// else.
func TestEngine_Load_settings(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	one := load(t, e, "modes", func(req *plugin.LoadRequest) { req.Settings = []byte(`{"plugin":1}`) })
	two := load(t, e, "modes", func(req *plugin.LoadRequest) { req.Settings = []byte(`{"plugin":22}`) })
	for range 2 {
		calls(t, one)
	}
	if got := calls(t, two); got != 1 {
		t.Errorf("call %d of the second plugin, want 1", got)
	}
	for want, r := range map[string]plugin.Runner{`{"plugin":1}`: one, `{"plugin":22}`: two} {
		if got, err := mode(t.Context(), r, 'o'); err != nil || string(got) != want {
			t.Errorf("got %s and %v, want %s", got, err, want)
		}
	}
}

// TestEngine_neighbors verifies that a plugin that loops forever does not block other plugins.
func TestEngine_neighbors(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	bad := load(t, e, "modes", func(req *plugin.LoadRequest) { req.Limits.CallTimeout = time.Hour })
	good := load(t, e, "modes")
	looping := make(chan error, 1)
	go func() {
		_, err := mode(t.Context(), bad, 'g')
		looping <- err
	}()
	for range 200 {
		if _, err := mode(t.Context(), good, 'a', 'x'); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-looping:
		t.Fatalf("the loop has ended by itself: %v", err)
	default:
	}
	if err := bad.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, looping); plugin.KindOf(err) != plugin.KindClosed {
		t.Errorf("got %v, want %s", err, plugin.KindClosed)
	}
}
