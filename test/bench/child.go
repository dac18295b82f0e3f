// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
)

// childVariable, in the environment, makes this program one of the processes of its own that memory and
// CPU are measured in, where nothing else runs.
const childVariable = "K1S_BENCH_CHILD"

// children are what such a process can be: each gets its task on standard input.
var children = map[string]func(context.Context, *json.Decoder) error{
	"footprint": runFootprint,
	"operator":  runOperator,
}

// runChild runs this process's task and returns true; elsewhere it does nothing.
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

// child prepares such a process; its standard input and output are the caller's.
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
