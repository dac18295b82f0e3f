// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

func specification(t *testing.T) string {
	t.Helper()
	text := testfile.Read(t, "..", "..", "docs", "spec", "abi.md")
	return string(text)
}

// between returns the part of the specification under a heading.
func between(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("there is no heading %q", heading)
	}
	part, _, _ := strings.Cut(rest, "\n## ")
	return part
}

// row matches a row of a table that starts with a name and a signature.
var row = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| `\\(([^)]*)\\) -> ([^`]*)` \\|")

// signatures parses a table of the specification.
func signatures(text string) map[string]abi.Signature {
	types := map[string]abi.ValueType{"i32": abi.I32, "i64": abi.I64}
	all := map[string]abi.Signature{}
	for _, m := range row.FindAllStringSubmatch(text, -1) {
		var s abi.Signature
		for param := range strings.SplitSeq(m[2], ",") {
			switch words := strings.Fields(param); len(words) {
			case 1: // a host function lists only names: all parameters are i32
				s.Params = append(s.Params, abi.I32)
			case 2:
				s.Params = append(s.Params, types[words[1]])
			}
		}
		if m[3] != "()" {
			s.Results = append(s.Results, types[m[3]])
		}
		all[m[1]] = s
	}
	return all
}

// The document and the code of the host agree.
func TestSpecification_signatures(t *testing.T) {
	t.Parallel()
	text := specification(t)
	if diff := cmp.Diff(abi.Imports(), signatures(between(t, text, "Host functions"))); diff != "" {
		t.Errorf("host functions (-code +document)\n%s", diff)
	}
	exports := abi.RequiredExports()
	maps.Copy(exports, abi.OptionalExports())
	if diff := cmp.Diff(exports, signatures(between(t, text, "Exports of the guest"))); diff != "" {
		t.Errorf("exports (-code +document)\n%s", diff)
	}
}

// The example in the document is exactly the fixture logger.
func TestSpecification_example(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(specification(t), "```wat\n")
	example, _, _ := strings.Cut(rest, "```")
	text := testfile.Read(t, "testdata", "logger.wat")
	_, module, _ := strings.Cut(string(text), "\n(module\n")
	if diff := cmp.Diff(example, "(module\n"+module); diff != "" {
		t.Errorf("(-document +fixture)\n%s", diff)
	}
}

// The example does what the document says.
func TestLogger(t *testing.T) {
	t.Parallel()
	host := &recorder{}
	metadata, runner := run(t, "logger", host)
	if metadata.Name != "logger" || len(metadata.ForTypes) != 1 || metadata.ForTypes[0] != category {
		t.Errorf("metadata: %+v", metadata)
	}
	for _, name := range []string{"tools", strings.Repeat("x", 200_000), "spoons"} {
		req := abi.ReconcileRequest{ObjectKey: key("shop", name), Object: json.RawMessage("{}"), Attempt: 1}
		if _, err := plugin.Reconcile(t.Context(), runner, req); err != nil {
			t.Error(err)
		}
	}
	if host.log.Count(`\"name\":\"tools\",\"object\":{},\"attempt\":1}`) == 0 || host.log.Count("spoons") == 0 {
		t.Errorf("not every object is logged: %.500q", host.log.Lines())
	}
	if got := host.take(); got != nil {
		t.Errorf("the guest asked for %+v", got)
	}
}
