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

// maxOutput is how much of what a child writes is kept, in bytes.
const maxOutput = 4 << 10

// waitDelay is how long a child that was killed may keep its pipes open.
const waitDelay = time.Second

// ErrProcess means that a child could not be run, or not to its end: that says nothing about the module.
var ErrProcess = errors.New("the compiler process did not run to its end")

// Process starts a child for each compilation.
type Process struct {
	// Path is the program, whose main calls Dispatch.
	Path string
	// CacheDir is where the native code goes.
	CacheDir string
	// CPU is the processor time of a compilation, to which each MiB of the module adds; 0 means DefaultCPU.
	CPU time.Duration
	// Memory is how many bytes a child may hold; 0 means DefaultMemory.
	Memory int64
}

// Compile compiles a module and leaves the native code in CacheDir. Errors are the context's, ErrProcess, or say what
// is wrong with the module.
func (p Process) Compile(ctx context.Context, module []byte) error {
	limits := p.limitsFor(len(module))
	text, err := json.Marshal(job{CacheDir: p.CacheDir, Limits: limits})
	if err != nil {
		return err
	}
	wall, cancel := context.WithTimeout(ctx, wallPerCPU*limits.CPU)
	defer cancel()
	cmd := exec.CommandContext(wall, p.Path)
	// One thread runs, so that the garbage collector does not take a second processor from others.
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

// explain says why a child failed that used some processor time. Late is one that had to be killed, be it because the
// machine had no time for it or because nothing else limits it there.
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
	case !exit.Exited(): // killed by somebody else, such as the kernel when the machine has no memory left
		return fmt.Errorf("%w: %w", ErrProcess, err)
	default: // the compiler has a fault of its own
		first, _, _ := strings.Cut(output, "\n")
		return fmt.Errorf("the compiler failed: %s", first)
	}
}

// head keeps the beginning of what is written.
type head struct{ bytes.Buffer }

// Write implements io.Writer.
func (h *head) Write(p []byte) (int, error) {
	if room := maxOutput - h.Len(); room > 0 {
		h.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (h *head) String() string { return strings.TrimSpace(h.Buffer.String()) }
