// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/k1s-io/k1s/internal/plugin/metrics"
)

// The committed page is up to date with the code.
func TestRender_committed(t *testing.T) {
	t.Parallel()
	var want bytes.Buffer
	if err := render(&want); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("run: make metrics-docs (-code +page)\n%s", diff)
	}
}

// Every metric in an alert exists.
func TestAlerts_metricsExist(t *testing.T) {
	t.Parallel()
	families, err := embeddedFamilies()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range append(families, metrics.Families()...) {
		known[f.Name] = true
		if f.Type == metrics.Histogram {
			known[f.Name+"_bucket"] = true
		}
	}
	if !known["k1s_embedded_reconciles_total"] || !known["k1s_plugin_calls_total"] {
		t.Errorf("known are only %v", known)
	}
	named := regexp.MustCompile(`k1s_[a-z_]+`)
	for _, a := range alerts() {
		for _, name := range named.FindAllString(a.expr, -1) {
			if !known[name] {
				t.Errorf("%s: there is no metric %s", a.name, name)
			}
		}
		if !strings.HasPrefix(a.name, "K1s") || !strings.HasSuffix(a.what, ".") {
			t.Errorf("%s has no sentence, or another prefix: %q", a.name, a.what)
		}
	}
}
