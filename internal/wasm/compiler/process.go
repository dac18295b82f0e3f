// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// maxOutput is the number of bytes of a child's standard error that are kept.
const maxOutput = 4 << 10

// waitDelay is how long a child that was killed can keep its pipes open.
const waitDelay = time.Second

// ErrProcess is returned if a child could not be started or did not finish, for a reason that is unrelated to the
// module.
var ErrProcess = errors.New("the compiler process did not run to its end")

// Process starts a child process for each compilation.
type Process struct {
	// Path is the path of a program whose main calls Dispatch.
	Path string
	// CacheDir is the directory to which the native code is written.
	CacheDir string
	// CPU is the processor time limit of a compilation, to which each MiB of the module adds. 0 means DefaultCPU.
	CPU time.Duration
	// Memory is the memory limit of a child in bytes. 0 means DefaultMemory.
	Memory int64
}

// Compile compiles a module and writes the native code to CacheDir. It returns the context's error, ErrProcess, or an
// error that describes the problem of the module.
func (p Process) Compile(ctx context.Context, module []byte) error {
	limits := p.limitsFor(len(module))
	text, err := json.Marshal(job{CacheDir: p.CacheDir, Limits: limits})
	if err != nil {
		return err
	}
	wall, cancel := context.WithTimeout(ctx, wallPerCPU*limits.CPU)
	defer cancel()
	cmd := exec.CommandContext(wall, p.Path)
	// The child has one thread, so that its garbage collector does not use a second processor.
	cmd.Env = []string{variable + "=" + string(text), "GOMAXPROCS=1"}
	cmd.Stdin = bytes.NewReader(module)
	output := &head{}
	cmd.Stderr = output
	cmd.WaitDelay = waitDelay
	err = cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var used time.Duration
	if s := cmd.ProcessState; s != nil {
		used = s.UserTime() + s.SystemTime()
	}
	return limits.explain(err, wall.Err() != nil, used, output.String())
}

// explain returns the error of a child that ended with err and has used some processor time. late reports whether the
// child was killed at the limit of wall-clock time, either because the machine was busy or because no other limit
// applies on this platform.
func (l Limits) explain(err error, late bool, used time.Duration, output string) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case late && used >= l.CPU:
		return fmt.Errorf("it takes more than %s of processor time: make its functions smaller", l.CPU.Round(time.Second))
	case late:
		return fmt.Errorf("%w: it has not ended after %s, in which it got less than its %s of processor time", ErrProcess,
			(wallPerCPU * l.CPU).Round(time.Second), l.CPU.Round(time.Second))
	case !errors.As(err, &exit):
		return fmt.Errorf("%w: %w", ErrProcess, err)
	case exit.ExitCode() == exitRejected:
		return errors.New(output)
	case strings.Contains(output, "out of memory"), strings.Contains(output, "cannot allocate memory"):
		return fmt.Errorf("it takes more than %d MiB of memory: make its functions smaller", l.Memory>>20)
	case !exit.Exited() && used >= l.CPU-time.Second:
		return fmt.Errorf("it takes more than %s of processor time: make its functions smaller", l.CPU.Round(time.Second))
	case !exit.Exited(): // killed by another process or by the kernel, for example because the machine is out of memory
		return fmt.Errorf("%w: %w", ErrProcess, err)
	default: // the compiler itself failed
		first, _, _ := strings.Cut(output, "\n")
		return fmt.Errorf("the compiler failed: %s", first)
	}
}

// head is a writer that keeps the beginning of its input.
type head struct{ bytes.Buffer }

// Write implements io.Writer.
func (h *head) Write(p []byte) (int, error) {
	if room := maxOutput - h.Len(); room > 0 {
		h.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (h *head) String() string { return strings.TrimSpace(h.Buffer.String()) }
