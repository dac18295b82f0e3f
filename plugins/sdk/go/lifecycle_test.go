// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
	"errors"
	"testing"
)

func TestServeInitialize_settings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings, want string
		most           int64
	}{
		"given":              {`{"most":3}`, "", 3},
		"defaults":           {`{}`, "", 10},
		"none at all":        {``, "", 10},
		"rejected by type":   {`{"most":0}`, "settings: most: must be at least 1 (at byte 8)", 0},
		"of the wrong type":  {`{"most":"x"}`, "settings: most: want a number, found a string (at byte 8)", 0},
		"not JSON":           {`{`, "settings: want a name in quotes, found the end (at byte 1)", 10},
		"unknown is skipped": {`{"other":{"most":1}}`, "", 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var l limits
			err := serveInitialize(registrationOf(Plugin{Name: "a", Version: "1", Settings: &l}), c.settings)
			if (err == nil) != (c.want == "") || err != nil && (err.Error() != c.want || !IsInvalid(err)) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if l.most != c.most {
				t.Errorf("most = %d, want %d", l.most, c.most)
			}
		})
	}
}

func TestLifecycle_functions(t *testing.T) {
	t.Parallel()
	var shut bool
	var l limits
	full := registrationOf(Plugin{
		Name: "a", Version: "1",
		Settings: &l,
		Initialize: func(context.Context) error {
			if l.most != 4 {
				t.Error("the settings are not there yet")
			}
			return errors.New("no")
		},
		Health:   func(context.Context) error { return errors.New("unwell") },
		Shutdown: func(context.Context) { shut = true },
	})
	if err := serveInitialize(full, `{"most":4}`); err == nil || err.Error() != "no" {
		t.Errorf("initialize: %v", err)
	}
	if err := serveHealth(full); err == nil || err.Error() != "unwell" {
		t.Errorf("health: %v", err)
	}
	if serveShutdown(full); !shut {
		t.Error("Shutdown was not called")
	}

	empty := registrationOf(Plugin{Name: "a", Version: "1"})
	if err := serveInitialize(empty, "{}"); err != nil {
		t.Errorf("initialize without functions: %v", err)
	}
	if err := serveHealth(empty); err != nil {
		t.Errorf("health without functions: %v", err)
	}
	serveShutdown(empty)

	panics := func(context.Context) { panic("oops") }
	bad := registrationOf(Plugin{
		Name: "a", Version: "1", Shutdown: panics,
		Health: func(ctx context.Context) error { panics(ctx); return nil },
	})
	if err := serveHealth(bad); err == nil || err.Error() != "panic: oops" {
		t.Errorf("health that panics: %v", err)
	}
	serveShutdown(bad)
}

// TestRegister uses the module's own registration. No other test is allowed to use it.
func TestRegister(t *testing.T) {
	if _, err := serveMetadata(&registered); !IsInvalid(err) {
		t.Errorf("before Register: %v", err)
	}
	Register(Plugin{Name: "first", Version: "1"})
	if text, err := serveMetadata(&registered); err != nil || len(text) == 0 {
		t.Errorf("after Register: %s, %v", text, err)
	}
	Register(Plugin{Name: "second", Version: "1"})
	const want = `k1s.Register is called more than once: for "first" and for "second"`
	if _, err := serveMetadata(&registered); err == nil || err.Error() != want {
		t.Errorf("after the second Register: %v", err)
	}
}
