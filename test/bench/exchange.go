// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
)

// exchange runs a child process: it writes the task in JSON to its standard input, and reads the answer from its
// standard output when it has exited.
func exchange(cmd *exec.Cmd, task, answer any) error {
	in, err := json.Marshal(task)
	if err != nil {
		return err
	}
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("a process for %T: %w", task, err)
	}
	return json.Unmarshal(out, answer)
}
