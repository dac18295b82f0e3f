// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
)

// allOf40 returns the schema of a module that occupied all workers: 3 KB, 2⁴⁰ steps.
func allOf40() string {
	defs := make([]string, 40)
	for i := range defs {
		defs[i] = fmt.Sprintf(`"a%d":{"allOf":[{"$ref":"#/$defs/a%d"},{"$ref":"#/$defs/a%d"}]}`, i, i+1, i+1)
	}
	return `{"$ref":"#/$defs/a0","$defs":{` + strings.Join(defs, ",") + `,"a40":{"type":"object"}}}`
}

// Not in parallel, because it measures memory.
func TestCheck_bombs(t *testing.T) {
	nested := strings.Repeat(`{"a":`, 40) + `{}` + strings.Repeat(`}`, 40)
	for name, tc := range map[string]struct{ schema, settings, want string }{
		"a schema": {allOf40(), `{}`, "the module's configSchema takes too much work: ask the module's author for a simpler schema: " +
			"more than 4096 schemas apply to one value, by $ref, allOf and their like"},
		"a schema and settings": {`{"properties":{"a":{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}},"minProperties":1}`, nested,
			"the module's configSchema takes too much work for spec.settings as they are: " +
				"ask the module's author for a simpler schema, or use fewer or shorter settings: evaluating it takes more than 2000000 steps"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := Check(t.Context(), json.RawMessage(tc.schema), json.RawMessage(tc.settings))
		runtime.ReadMemStats(&after)
		var load *plugin.LoadError
		if !errors.As(err, &load) || load.Reason != badReason || load.Error() != tc.want {
			t.Errorf("%s: got %v\nwant %s", name, err, tc.want)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 20<<20 {
			t.Errorf("%s: took %d KiB", name, took>>10)
		}
	}
}

// Whatever is wrong, the message is short, and always the same.
func TestCheck_longErrors(t *testing.T) {
	t.Parallel()
	list := func(format string, n int) string {
		out := make([]string, n)
		for i := range out {
			out[i] = strings.ReplaceAll(format, "N", fmt.Sprintf("%05d", i))
		}
		return strings.Join(out, ",")
	}
	long := strings.Repeat("x", 100<<10)
	for name, tc := range map[string]struct{ schema, settings, want string }{
		"many members":      {`{"additionalProperties":{"type":"string"}}`, `{` + list(`"kN":1`, 20_000) + `}`, "settings.k00000: got number, want string; settings.k00001: "},
		"many names":        {`{"additionalProperties":false}`, `{` + list(`"kN":1`, 20_000) + `}`, "'k00028', 'k00029', '…' not allowed"},
		"many missing":      {`{"required":[` + list(`"rN"`, 5_000) + `]}`, `{}`, "missing properties 'r00000', 'r00001'"},
		"many values":       {`{"properties":{"a":{"enum":[` + list(`"eN"`, 5_000) + `]}}}`, `{"a":1}`, "'e00028', 'e00029', '…'"},
		"a long value":      {`{"properties":{"a":{"pattern":"^y"}}}`, `{"a":"` + long + `"}`, "x…' does not match pattern '^y'"},
		"a long constant":   {`{"properties":{"a":{"const":"` + long + `"}}}`, `{"a":1}`, "settings.a: value must be 'xxx"},
		"a long name":       {`{"additionalProperties":{"type":"string"}}`, `{"` + long + `":1}`, "x…: got number, want string"},
		"a long way":        {`{"items":{"$ref":"#"},"properties":{"` + long[:200] + `":{"$ref":"#"},"l":{"items":{"type":"string"}}}}`, strings.Repeat(`{"`+long[:200]+`":`, 60) + `{"l":[1]}` + strings.Repeat(`}`, 60), "x…: got number, want string"},
		"a name as a value": {`{"propertyNames":{"maxLength":1}}`, `{"` + long + `":1}`, "x…: maxLength: got 102,400, want 1"},
		"a format":          {`{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"a":{"format":"uri"}}}`, `{"a":"` + long + `"}`, "x…' is not valid uri"},
	} {
		first := ""
		for range 3 { // maps have no order
			err := Check(t.Context(), json.RawMessage(tc.schema), json.RawMessage(tc.settings))
			var load *plugin.LoadError
			if !errors.As(err, &load) || load.Reason != invalid || !strings.Contains(load.Message, tc.want) || len(load.Message) > maxExplained*(maxSentence+8) {
				t.Fatalf("%s: got %d bytes: %.600v\nwant %s", name, len(err.Error()), err, tc.want)
			}
			if first == "" {
				first = load.Message
			}
			if load.Message != first {
				t.Errorf("%s: got %.300s, then %.300s", name, first, load.Message)
			}
		}
	}
}

// If a text is cut inside a secret, it shows no part of the secret.
func TestCheck_secretAtTheCut(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse-battery-staple"
	for before := maxQuoted - len(secret) - 2; before < maxQuoted+2; before++ {
		settings := `{"token":"` + secret + `","other":"` + strings.Repeat("-", before) + secret + strings.Repeat("-", 300) + `"}`
		err := Check(t.Context(), json.RawMessage(`{"properties":{"other":{"pattern":"^x"}}}`), json.RawMessage(settings), Secret{As: "token", Value: secret})
		if err == nil || strings.Contains(err.Error(), "corr") {
			t.Errorf("after %d bytes: %v", before, err)
		}
	}
}

func TestChecker(t *testing.T) {
	t.Parallel()
	schema, settings := json.RawMessage(`{"type":"object"}`), json.RawMessage(`[]`)
	var c Checker
	var load *plugin.LoadError
	for range 2 * maxChecks { // each check releases its slot for the next one
		if err := c.Check(t.Context(), schema, settings); !errors.As(err, &load) || load.Reason != invalid {
			t.Fatalf("got %v", err)
		}
	}
	for range maxChecks {
		c.slots <- struct{}{} // other checks occupy the slots
	}
	enough := errors.New("enough")
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	if err := c.Check(ended, schema, settings); !errors.Is(err, enough) {
		t.Errorf("got %v while there is no place", err)
	}
	<-c.slots
	if err := c.Check(t.Context(), schema, settings); !errors.As(err, &load) {
		t.Errorf("got %v when there is a place again", err)
	}
	select {
	case c.slots <- struct{}{}:
	case <-time.After(time.Minute):
		t.Error("the last check did not release its slot")
	}
}

// A check that ends with its context does not reject the schema or the settings.
func TestCheck_ends(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	settings := `{"l":[` + strings.Repeat(`"x",`, 5_000) + `"x"]}`
	err := Check(ended, json.RawMessage(`{"properties":{"l":{"items":{"type":"string"}}}}`), json.RawMessage(settings))
	if load := (*plugin.LoadError)(nil); !errors.Is(err, enough) || errors.As(err, &load) {
		t.Errorf("got %v", err)
	}
}
