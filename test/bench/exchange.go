// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
)

// exchange runs a child that gets a task and ends with an answer.
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
