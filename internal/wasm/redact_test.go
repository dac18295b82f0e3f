// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/settings"
)

// quoting are secrets, one of which looks different in JSON.
var quoting = []string{"hunter2-correct-horse", `quote"back\slash<html>`, "first line\nsecond line"}

// echo loads the guest that outputs its settings, and redacts the secret in them unless change disables that.
func echo(tb testing.TB, e *Engine, secret string, change ...func(*plugin.LoadRequest)) (plugin.Runner, error) {
	tb.Helper()
	req := request(tb, "echo")
	merged, err := settings.Merge(nil, []settings.Secret{{As: "token", Value: secret}})
	if err != nil {
		tb.Fatal(err)
	}
	req.Settings, req.Redact = merged, plugin.NewRedactor(secret)
	for _, c := range change {
		c(&req)
	}
	r, _, err := e.Load(tb.Context(), req)
	if err == nil {
		tb.Cleanup(func() { _ = r.Close(context.Background()) })
	}
	return r, err
}

// shown returns the forms of a secret that must not appear anywhere.
func shown(tb testing.TB, secret string) []string {
	tb.Helper()
	inJSON, err := json.Marshal(secret)
	if err != nil {
		tb.Fatal(err)
	}
	plain := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(secret)
	forms := []string{secret, strings.ReplaceAll(secret, "\n", " "), string(inJSON[1 : len(inJSON)-1]), plain, base64.StdEncoding.EncodeToString([]byte(secret))}
	return append(forms, strings.Split(secret, "\n")...)
}

// TestRedact_allOutputs verifies that a guest that quotes its settings does not reveal secrets in its logs, its output
// and its replies.
func TestRedact_allOutputs(t *testing.T) {
	t.Parallel()
	for _, secret := range quoting {
		for name, tc := range map[string]struct {
			input string
			kind  plugin.Kind
			want  string
		}{
			"an answer":      {"{}", plugin.KindGuest, "guest reconcile answered Invalid: [redacted]"},
			"a trap":         {"t", plugin.KindTrap, "standard error: [redacted]"},
			"a wrong result": {"v", plugin.KindViolation, ""},
		} {
			t.Run(fmt.Sprintf("%.6s/%s", secret, name), func(t *testing.T) {
				t.Parallel()
				e, l := newEngine(t)
				r, err := echo(t, e, secret)
				if err != nil {
					t.Fatal(err)
				}
				_, err = r.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile, Input: []byte(tc.input), Accept: func(reply []byte) error {
					return fmt.Errorf("want no %s", reply)
				}})
				if err == nil || plugin.KindOf(err) != tc.kind || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v, want %s", err, tc.want)
				}
				var call *plugin.CallError
				if !errors.As(err, &call) {
					t.Fatalf("got %v", err)
				}
				status, marshalErr := json.Marshal(call.Status)
				if marshalErr != nil {
					t.Fatal(marshalErr)
				}
				if err := r.Close(t.Context()); err != nil { // Close flushes lines of output
					t.Fatal(err)
				}
				for _, form := range shown(t, secret) {
					if strings.Contains(err.Error(), form) || strings.Contains(string(status), form) {
						t.Errorf("the error has %q: %v, %s", form, err, status)
					}
					for _, line := range l.Lines() {
						if strings.Contains(line, form) {
							t.Errorf("the log has %q: %s", form, line)
						}
					}
				}
				if n := l.Count(plugin.Redacted); n < 4 { // two messages, standard output and standard error
					t.Errorf("%d lines tell that there was something, want 4 or more", n)
				}
			})
		}
	}
}

// TestRedact_without verifies that the same guest reveals everything without a Redactor, so that TestRedact_allOutputs
// can fail.
func TestRedact_without(t *testing.T) {
	t.Parallel()
	e, l := newEngine(t)
	r, err := echo(t, e, quoting[0], func(req *plugin.LoadRequest) { req.Redact = nil })
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile, Input: []byte("{}")})
	if err == nil || !strings.Contains(err.Error(), quoting[0]) {
		t.Errorf("got %v", err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := l.Count(quoting[0]); n != 4 {
		t.Errorf("%d lines have the secret, want 4: %q", n, l.Lines())
	}
}

// TestRedact_initialize verifies that a guest that rejects its settings does not reveal them.
func TestRedact_initialize(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	_, err := echo(t, e, "!hunter2-correct-horse")
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "k1s_initialize answered Invalid: [redacted]") {
		t.Errorf("got %v", err)
	}
}

// TestRedact_warnings verifies that the warnings of a guest, which the client of the API server receives, do not
// contain secrets.
func TestRedact_warnings(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	for secret, want := range map[string]string{
		quoting[0]: plugin.Redacted, quoting[1]: plugin.Redacted,
		"hunter" + strings.Repeat("x", abi.MaxWarning-6): plugin.Redacted, // as long as a warning can be
	} {
		r, err := echo(t, e, secret)
		if err != nil {
			t.Fatal(err)
		}
		got, err := plugin.Validate(t.Context(), r, abi.ExportValidateCreate, abi.AdmissionRequest{})
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%.30s: got %q, %v", secret, got, err)
		}
	}
}

// TestCleanWarnings_growing verifies that a warning stays within its limit even if the replacement is longer than the
// secret.
func TestCleanWarnings_growing(t *testing.T) {
	t.Parallel()
	reply, err := json.Marshal(abi.AdmissionReply{Warnings: []string{strings.Repeat("hunter", abi.MaxWarning/6)}})
	if err != nil {
		t.Fatal(err)
	}
	var got abi.AdmissionReply
	clean := cleanWarnings(plugin.NewRedactor("hunter"), abi.ExportAdmit, reply)
	if err := errors.Join(json.Unmarshal(clean, &got), got.Check()); err != nil || strings.Contains(string(clean), "hunter") {
		t.Errorf("got %s, %v", clean, err)
	}
	if defaults := cleanWarnings(plugin.NewRedactor("hunter"), abi.ExportSetDefaults, reply); string(defaults) != string(reply) {
		t.Errorf("what is no warning was changed: %s", defaults)
	}
}

// TestRedact_longOutput verifies that truncated output ends before a secret, not within it.
func TestRedact_longOutput(t *testing.T) {
	t.Parallel()
	e, l := newEngine(t)
	const secret = "hunter2-correct-horse"
	r := load(t, e, "modes", func(req *plugin.LoadRequest) { req.Redact = plugin.NewRedactor(secret) })
	for cut := 1; cut < len(secret); cut += 4 {
		text := strings.Repeat("x", abi.MaxLogMessage-cut) + secret + "and more"
		if _, err := mode(t.Context(), r, 't', append([]byte{1}, text...)...); err != nil {
			t.Fatal(err)
		}
	}
	if n := l.Count("xh"); n != 0 {
		t.Errorf("%d lines have a part of the secret", n)
	}
	if n := l.Count("xxxxxxxx"); n < 5 {
		t.Errorf("%d lines, want 5", n)
	}
}
