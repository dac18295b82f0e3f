// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// childVariable is an environment variable that makes this program run as a child process.
const childVariable = "K1S_BENCH_CHILD"

// children are the functions of the child processes by name. Each reads requests from standard input, and writes a reply
// to each to standard output.
var children = map[string]func(context.Context, *json.Decoder, *json.Encoder){
	"footprint": runFootprint,
	"operator":  runOperator,
}

// runChild runs the function of this process and returns true if it is a child process. Otherwise it does nothing.
func runChild(ctx context.Context) (ran bool, err error) {
	name := os.Getenv(childVariable)
	if name == "" {
		return false, nil
	}
	run, ok := children[name]
	if !ok {
		return true, fmt.Errorf("%s=%q: there is no such child", childVariable, name)
	}
	return true, try(func() { run(ctx, json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)) })
}

// child is a process of this program, in which memory and CPU are measured because nothing else runs there.
type child struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	in    *json.Encoder
	out   *json.Decoder
}

func startChild(ctx context.Context, name string) *child {
	cmd := exec.CommandContext(ctx, must(os.Executable()))
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	cmd.Stderr = os.Stderr
	c := &child{name: name, cmd: cmd, stdin: must(cmd.StdinPipe()), out: json.NewDecoder(must(cmd.StdoutPipe()))}
	c.in = json.NewEncoder(c.stdin)
	check(cmd.Start())
	return c
}

// ask sends a request and waits for the reply.
func (c *child) ask(request, reply any) {
	if err := errors.Join(c.in.Encode(request), c.out.Decode(reply)); err != nil {
		check(fmt.Errorf("the process %q does not reply: %w", c.name, err))
	}
}

// stop ends the standard input of the process, and waits until it has exited. If it has failed, its message is in the
// output of this process.
func (c *child) stop() {
	if err := errors.Join(c.stdin.Close(), c.cmd.Wait()); err != nil {
		check(fmt.Errorf("the process %q has failed: %w", c.name, err))
	}
}
