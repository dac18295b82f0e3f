// SPDX-License-Identifier: Apache-2.0

// Package guest provides the modules that the benchmark measures, and the cluster that they read from.
package guest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/test/bench/work"
)

// Languages returns the languages of the guests, in the order of the table.
func Languages() []string { return []string{"rust", "c", "assemblyscript", "go"} }

// MissingError says what to install or to run for a guest that was not built.
type MissingError string

// Error implements error.
func (e MissingError) Error() string { return string(e) }

// Dir is a directory to which guests/build.sh has written guests.
type Dir string

// Read returns the module of the given name, such as "rust-k1s" or "c-extism".
func (d Dir) Read(name string) ([]byte, error) {
	module, err := os.ReadFile(filepath.Join(string(d), name+".wasm"))
	if !errors.Is(err, fs.ErrNotExist) {
		return module, err
	}
	language, _, _ := strings.Cut(name, "-")
	why, err := os.ReadFile(filepath.Join(string(d), language+".missing"))
	if err != nil {
		return nil, MissingError("not built: run test/bench/guests/build.sh bin/bench")
	}
	return nil, MissingError(strings.TrimSpace(string(why)))
}

// Distinct returns the module with an additional custom section, which gives it another digest.
func Distinct(module []byte, number int) []byte {
	const name = "bench.number"
	body := fmt.Appendf(nil, "%c%s%08d", len(name), name, number)
	out := append(append([]byte(nil), module...), 0) // a custom section
	out = binary.AppendUvarint(out, uint64(len(body)))
	return append(out, body...)
}

// Host is an in-memory cluster with one Category, so that a read costs only what the engine adds.
type Host struct {
	plugin.Host // nil: the guests of the benchmark call nothing else

	// Category is the object that a read returns.
	Category []byte
}

// NewHost returns a Host with the Category of package work.
func NewHost() *Host { return &Host{Category: work.Category()} }

// Get implements plugin.Host.
func (h *Host) Get(_ context.Context, req abi.ObjectKey) ([]byte, error) {
	if req != work.CategoryKey() {
		return nil, fmt.Errorf("the guest asked for another object: %v", req)
	}
	return h.Category, nil
}
