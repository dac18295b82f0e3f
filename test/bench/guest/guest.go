// SPDX-License-Identifier: Apache-2.0

// Package guest provides the modules that the benchmark measures, and the cluster that they read from.
package guest

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Languages returns the languages of the guests, in the order of the table.
func Languages() []string { return []string{"rust", "c", "assemblyscript", "go"} }

// MissingError is the error about a guest that was not built.
type MissingError struct{ Guest, Why string }

// Error returns what to install or to run.
func (e *MissingError) Error() string { return e.Why }

// Dir is a directory to which guests/build.sh has written guests.
type Dir string

// Read returns the module of the given name, such as "rust-k1s" or "c-extism".
func (d Dir) Read(name string) ([]byte, error) {
	module, err := os.ReadFile(filepath.Join(string(d), name+".wasm"))
	if err == nil {
		return module, nil
	}
	if !os.IsNotExist(err) {
		return nil, err
	}
	language, _, _ := strings.Cut(name, "-")
	why, err := os.ReadFile(filepath.Join(string(d), language+".missing"))
	if err != nil {
		return nil, &MissingError{Guest: name, Why: "not built: run test/bench/guests/build.sh bin/bench"}
	}
	return nil, &MissingError{Guest: name, Why: strings.TrimSpace(string(why))}
}

// Distinct returns the module with an additional custom section, which gives it another digest.
func Distinct(module []byte, number int) []byte {
	const name = "bench.number"
	body := append([]byte{byte(len(name))}, name...)
	body = fmt.Appendf(body, "%08d", number)
	out := append([]byte(nil), module...)
	out = append(out, 0) // a custom section
	out = binary.AppendUvarint(out, uint64(len(body)))
	return append(out, body...)
}
