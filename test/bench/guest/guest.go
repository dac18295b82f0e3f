// SPDX-License-Identifier: Apache-2.0

// Package guest has the modules that are measured, and the cluster that they see.
package guest

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Languages are the guests' languages, in the table's order.
func Languages() []string { return []string{"rust", "c", "assemblyscript", "go"} }

// MissingError says that a guest was not built.
type MissingError struct{ Guest, Why string }

// Error says what to install.
func (e *MissingError) Error() string { return e.Why }

// Dir is a folder of guests that guests/build.sh has filled.
type Dir string

// Read returns a module: "rust-k1s", "c-extism".
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

// Distinct returns the module with a custom section that makes it another one, to whoever goes by
// digests.
func Distinct(module []byte, number int) []byte {
	const name = "bench.number"
	body := append([]byte{byte(len(name))}, name...)
	body = fmt.Appendf(body, "%08d", number)
	out := append([]byte(nil), module...)
	out = append(out, 0) // a custom section
	out = binary.AppendUvarint(out, uint64(len(body)))
	return append(out, body...)
}
