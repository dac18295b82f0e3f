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
	"github.com/k1s-io/k1s/internal/text"
)

const (
	// maxFrames is how many functions of the stack of a trap a message names.
	maxFrames = 3
	// maxName is how much of the name of a function a message quotes, in bytes.
	maxName = 128 + len("…")
)

// violation returns an error for a violation of the ABI.
func violation(format string, args ...any) error {
	return &plugin.CallError{Kind: plugin.KindViolation, Err: fmt.Errorf(format, args...)}
}

// explain converts an error of wazero into a *plugin.CallError.
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

// trap shortens an error of wazero to its first line and the innermost functions.
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
		if frames = append(frames, shorten(original(strings.TrimPrefix(name, ".")))); len(frames) == maxFrames {
			break
		}
	}
	if len(frames) == 0 {
		return errors.New(first)
	}
	return fmt.Errorf("%s in %s", first, strings.Join(frames, " < "))
}

// original returns the name that a function has in the original module. The name of an unnamed function is its index,
// which the import of the meter has increased by one.
func original(name string) string {
	index, ok := strings.CutPrefix(name, "$")
	if n, err := strconv.Atoi(index); ok && err == nil {
		return "$" + strconv.Itoa(n-1)
	}
	return name
}

// withOutput adds what the guest wrote to standard error, which contains the message of a Go or Rust panic.
func (in *instance) withOutput(err error) error {
	if in.memory != nil && in.memory.denied != nil {
		err = fmt.Errorf("%w; it was denied more memory: %w", err, in.memory.denied)
	}
	if tail := in.stderr.tail(); tail != "" {
		return fmt.Errorf("%w; standard error: %s", err, tail)
	}
	return err
}

// guestError decodes the error reply of a guest.
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

// shorten prepares a name for a message: it limits the length and puts it on one line.
func shorten(name string) string { return text.Printable(text.Truncate(name, maxName)) }
