// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// report prints the progress of a demo. It uses colors only on a terminal.
type report struct {
	out   io.Writer
	color bool
	start time.Time
}

func newReport(out *os.File) *report {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &report{out: out, color: terminal && os.Getenv("NO_COLOR") == "", start: time.Now()}
}

func (r *report) paint(code, text string) string {
	if !r.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// heading prints the title of a step.
func (r *report) heading(n, of int, title string) {
	_, _ = fmt.Fprintf(r.out, "\n%s %s\n", r.paint("1;34", fmt.Sprintf("[%d/%d]", n, of)), r.paint("1", title))
}

// note prints a remark.
func (r *report) note(format string, args ...any) {
	_, _ = fmt.Fprintf(r.out, "    %s\n", fmt.Sprintf(format, args...))
}

// passed prints a check that passed.
func (r *report) passed(format string, args ...any) {
	_, _ = fmt.Fprintf(r.out, "  %s %s\n", r.paint("32", "✓"), fmt.Sprintf(format, args...))
}

// command prints a command and its output.
func (r *report) command(line, output string) {
	_, _ = fmt.Fprintf(r.out, "  %s\n", r.paint("2", "$ "+line))
	for l := range strings.Lines(output) {
		_, _ = fmt.Fprintf(r.out, "    %s\n", strings.TrimRight(l, "\n"))
	}
}

func (r *report) stay(kubeconfig, kubectl, pluginDir, log string) {
	_, _ = fmt.Fprintf(r.out, `
%s In another terminal:

  export KUBECONFIG=%s
  alias kubectl=%s

  kubectl get items,categories
  kubectl get wasmplugins -o wide
  kubectl describe wasmplugin category-hierarchy

The operator's log:       %s
Its plugin directory:     %s (drop a .wasm file there)

Ctrl-C stops everything.
`, r.paint("1;32", "Up and running."), kubeconfig, kubectl, log, pluginDir)
}

func (r *report) done(steps int) {
	_, _ = fmt.Fprintf(r.out, "\n%s %d of %d steps verified in %s.\n",
		r.paint("1;32", "Done."), steps, steps, time.Since(r.start).Round(time.Second))
}
