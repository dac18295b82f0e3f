// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// tool runs oras or cosign in the demo's folder and returns its output. The variables ORAS and COSIGN are their paths.
func (d *demo) tool(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, os.Getenv(strings.ToUpper(name)), args...)
	// The password of the key, which cosign asks for on a terminal.
	cmd.Env = append(os.Environ(), "COSIGN_PASSWORD=demo")
	cmd.Dir, cmd.SysProcAttr = d.dir, ownGroup()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
