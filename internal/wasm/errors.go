// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero/sys"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

const (
	// maxFrames is how many functions of a trap's stack a message names.
	maxFrames = 3
	// maxName is how much of a function's name it quotes, in bytes.
	maxName = 128
)

// violation is a breach of the ABI.
func violation(format string, args ...any) error {
	return &plugin.CallError{Kind: plugin.KindViolation, Err: fmt.Errorf(format, args...)}
}

// explain turns what wazero returned into a *plugin.CallError.
func (in *instance) explain(export string, err error) error {
	var call *plugin.CallError
	if errors.As(err, &call) {
		return &plugin.CallError{Kind: call.Kind, Export: export, Status: call.Status, Err: call.Err}
	}
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("the guest exited with code %d", exit.ExitCode())
		return &plugin.CallError{Kind: plugin.KindExit, Export: export, Err: in.withOutput(err)}
	}
	return &plugin.CallError{Kind: plugin.KindTrap, Export: export, Err: in.withOutput(trap(err))}
}

// trap shortens wazero's error to its first line and the innermost functions.
func trap(err error) error {
	first, rest, _ := strings.Cut(err.Error(), "\n")
	if _, fault, ok := strings.Cut(first, "wasm error: "); ok {
		first = fault
	}
	first = strings.TrimSuffix(first, " (recovered by wazero)")
	var frames []string
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		name, _, isFrame := strings.Cut(line, "(")
		if line == "wasm stack trace:" || !isFrame {
			continue
		}
		if frames = append(frames, shorten(original(strings.TrimPrefix(name, ".")), maxName)); len(frames) == maxFrames {
			break
		}
	}
	if len(frames) == 0 {
		return errors.New(first)
	}
	return fmt.Errorf("%s in %s", first, strings.Join(frames, " < "))
}

// original returns the name of a function as the module's author knows it. One without a name is called by its
// index, which the meter's import has raised by one.
func original(name string) string {
	index, ok := strings.CutPrefix(name, "$")
	if n, err := strconv.Atoi(index); ok && err == nil {
		return "$" + strconv.Itoa(n-1)
	}
	return name
}

// withOutput adds what the guest wrote to standard error: a Go or Rust panic's text goes there.
func (in *instance) withOutput(err error) error {
	if in.memory != nil && in.memory.denied != nil {
		err = fmt.Errorf("%w; it was denied more memory: %w", err, in.memory.denied)
	}
	if text := in.stderr.tail(); text != "" {
		return fmt.Errorf("%w; standard error: %s", err, text)
	}
	return err
}

// guestError reads a guest's error reply.
func (in *instance) guestError(export string, payload []byte) error {
	if len(payload) == 0 {
		return in.redact.GuestError(export, abi.GuestStatus{Message: "the guest gave no message"})
	}
	status, err := abi.DecodeStatus(payload)
	if err != nil {
		return &plugin.CallError{Kind: plugin.KindViolation, Export: export, Err: in.redact.Error(err)}
	}
	return in.redact.GuestError(export, status)
}

// shorten makes a name fit for a message: bounded, on one line.
func shorten(text string, limit int) string {
	if len(text) > limit {
		return printable(text[:limit]) + "…"
	}
	return printable(text)
}
