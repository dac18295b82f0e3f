// SPDX-License-Identifier: Apache-2.0

package meter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/k1s-io/k1s/internal/testenv/testfile"
	"github.com/k1s-io/k1s/internal/wasm/meter"
)

// spectests returns the directory of wazero's module that contains the WebAssembly specification tests in the format of
// wast2json.
func spectests(t *testing.T) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Fatalf("find wazero's tests: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(dir)), "internal/integration_test/spectest")
}

// script is a file in the format of wast2json.
type script struct {
	Source   string    `json:"source_filename"`
	Commands []command `json:"commands"`
}

type command struct {
	Type       string  `json:"type"`
	Line       int     `json:"line"`
	Name       string  `json:"name"`
	As         string  `json:"as"`
	Filename   string  `json:"filename"`
	ModuleType string  `json:"module_type"`
	Text       string  `json:"text"`
	Action     action  `json:"action"`
	Expected   []value `json:"expected"`
}

type action struct {
	Type   string  `json:"type"`
	Module string  `json:"module"`
	Field  string  `json:"field"`
	Args   []value `json:"args"`
}

// TestRewrite_spectest runs the WebAssembly specification tests unmetered and metered: every assertion must have the
// same outcome, and every result the same bits.
func TestRewrite_spectest(t *testing.T) {
	dir := spectests(t)
	for _, suite := range []struct {
		name     string
		features api.CoreFeatures
	}{{"v1", api.CoreFeaturesV1}, {"v2", api.CoreFeaturesV2}} {
		t.Run(suite.name, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join(dir, suite.name, "testdata", "*.json"))
			if err != nil || len(files) == 0 {
				t.Fatalf("%d test files: %v", len(files), err)
			}
			counts := map[string]int{}
			for _, file := range files {
				t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
					runScript(t, dir, file, suite.features, counts)
				})
			}
			for _, what := range slices.Sorted(maps.Keys(counts)) {
				t.Logf("%6d %s", counts[what], what)
			}
		})
	}
}

func runScript(t *testing.T, dir, file string, features api.CoreFeatures, counts map[string]int) {
	var s script
	raw := testfile.Read(t, file)
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, mode := range []struct {
		name    string
		metered bool
		options meter.Options
	}{{name: "unmetered"}, {name: "metered, with data", metered: true, options: meter.Options{KeepData: true}}, {name: "metered", metered: true},
		{name: "metered, in chunks", metered: true, options: meter.WithChunk(meter.Options{}, 8)}} {
		if features == api.CoreFeaturesV1 && !mode.options.KeepData && mode.metered {
			continue // in 1.0, nothing was written unless all segments fitted, which a host cannot implement
		}
		h := newHost(t, wazero.NewRuntimeConfig().WithCoreFeatures(features))
		h.metered, h.options = mode.metered, mode.options
		r := &specRunner{t: t, host: h, dir: filepath.Dir(file), modules: map[string]api.Module{}}
		library := testfile.Read(t, dir, "testdata", "spectest.wasm")
		if _, err := h.instantiate(library, "spectest"); err != nil {
			t.Fatalf("%s: spectest: %v", mode.name, err)
		}
		got := r.run(s.Commands)
		if want == nil {
			want = got
			for _, c := range s.Commands {
				what := c.Type
				if c.ModuleType == "text" {
					what += " (text format: nothing for a reader of the binary format)"
				}
				counts[what]++
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-unmetered +metered)\n%s", mode.name, diff)
		}
	}
}

// specRunner runs the commands of a script.
type specRunner struct {
	t       *testing.T
	host    *host
	dir     string
	modules map[string]api.Module
	last    api.Module
}

// run returns the outcome of each command, and reports an error for each outcome that differs from the assertion.
func (r *specRunner) run(commands []command) (outcomes []string) {
	for i, c := range commands {
		outcome, ok := r.command(c, commands[i+1:])
		outcome = fmt.Sprintf("%d %s: %s", c.Line, c.Type, outcome)
		if !ok {
			r.t.Errorf("metered %t: %s", r.host.metered, outcome)
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes
}

func (r *specRunner) command(c command, next []command) (outcome string, ok bool) {
	switch c.Type {
	case "module":
		name := ""
		if len(next) > 0 && next[0].Type == "register" {
			name = next[0].As
		}
		mod, err := r.instantiate(c, name)
		if err != nil {
			return err.Error(), false
		}
		r.last = mod
		if c.Name != "" {
			r.modules[c.Name] = mod
		}
		return "instantiated", true
	case "register": // together with the previous module
		return "registered", true
	case "assert_return", "action":
		results, err := r.act(c.Action)
		if err != nil {
			return err.Error(), false
		}
		return fmt.Sprintf("%x", results), c.Type == "action" || matches(c.Expected, results)
	case "assert_trap":
		_, err := r.act(c.Action)
		return trap(err), err != nil && strings.Contains(err.Error(), trapText(c.Text))
	case "assert_exhaustion":
		_, err := r.act(c.Action)
		return trap(err), err != nil && strings.Contains(err.Error(), "stack overflow")
	case "assert_invalid", "assert_malformed", "assert_unlinkable":
		if c.ModuleType == "text" {
			return "text", true
		}
		_, err := r.instantiate(c, "")
		return rejected(err), err != nil
	case "assert_uninstantiable":
		_, err := r.instantiate(c, "")
		// wazero instantiates a module whose element segments do not fit. What fits is written, as the test expects.
		return rejected(err), (err != nil) != (c.Text == "out of bounds table access")
	default:
		return "unknown command", false
	}
}

func (r *specRunner) instantiate(c command, name string) (api.Module, error) {
	module, err := os.ReadFile(filepath.Join(r.dir, c.Filename))
	if err != nil {
		r.t.Fatal(err)
	}
	return r.host.instantiate(module, name)
}

func (r *specRunner) act(a action) ([]uint64, error) {
	mod := r.last
	if a.Module != "" {
		mod = r.modules[a.Module]
	}
	if a.Type == "get" {
		return []uint64{mod.ExportedGlobal(a.Field).Get()}, nil
	}
	if r.host.metered { // the previous call may not have returned
		setGlobal(mod, meter.ExportStack, r.host.stack+r.host.floor())
	}
	return mod.ExportedFunction(a.Field).Call(context.Background(), arguments(a.Args)...)
}

// trap returns the text of an error without its stack trace.
func trap(err error) string {
	if err == nil {
		return "no error"
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	if strings.Contains(first, "stack overflow") {
		return "stack overflow"
	}
	return strings.TrimPrefix(first, "start: ")
}

func rejected(err error) string {
	if err == nil {
		return "instantiated"
	}
	return "rejected"
}

// trapText returns wazero's text for a trap of the specification tests.
func trapText(text string) string {
	switch {
	case text == "indirect call":
		return "indirect call type mismatch"
	case text == "undefined element", text == "undefined", text == "out of bounds table access", strings.HasPrefix(text, "uninitialized"):
		return "invalid table access"
	default:
		return text
	}
}
