// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
)

// childVariable is an environment variable that makes this program run as a child process, in which memory and CPU are
// measured because nothing else runs there.
const childVariable = "K1S_BENCH_CHILD"

// children are the functions of the child processes by name. Each reads its task from standard input.
var children = map[string]func(context.Context, *json.Decoder) error{
	"footprint": runFootprint,
	"operator":  runOperator,
}

// runChild runs the task of this process and returns true if it is a child process. Otherwise it does nothing.
func runChild(ctx context.Context) (ran bool, err error) {
	name := os.Getenv(childVariable)
	if name == "" {
		return false, nil
	}
	run, ok := children[name]
	if !ok {
		return true, fmt.Errorf("%s=%q: there is no such child", childVariable, name)
	}
	return true, run(ctx, json.NewDecoder(os.Stdin))
}

// child returns the command of a child process. The caller sets its standard input and output.
func child(ctx context.Context, name string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	cmd.Stderr = os.Stderr
	return cmd, nil
}
