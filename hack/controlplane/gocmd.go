// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// goCommand returns a go command that receives an interrupt, as from Ctrl-C, when ctx ends. The go command then stops
// its compilers and removes its work directory.
func goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = buildEnv(os.Environ(), runtime.GOOS, runtime.GOARCH)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// buildEnv makes the build independent of settings for other modules: a GOFLAGS with -mod=vendor, a go.work above this
// folder, a GOOS left over from cross-compiling. GOFLAGS is set rather than removed, because only a value overrides one
// that was saved with "go env -w".
func buildEnv(environ []string, goos, goarch string) []string {
	fixed := map[string]string{
		"GOFLAGS":     "-mod=readonly -buildvcs=false",
		"GOWORK":      "off",
		"CGO_ENABLED": "0",
		"GOOS":        goos,
		"GOARCH":      goarch,
	}
	env := make([]string, 0, len(environ)+len(fixed))
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if _, ok := fixed[name]; !ok {
			env = append(env, entry)
		}
	}
	for _, name := range []string{"GOFLAGS", "GOWORK", "CGO_ENABLED", "GOOS", "GOARCH"} {
		env = append(env, name+"="+fixed[name])
	}
	return env
}
