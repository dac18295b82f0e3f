// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"crypto/sha256"
	"encoding/hex"
)

// Digest is the SHA-256 of a module's uncompressed bytes, as 64 lower-case hex digits.
type Digest string

// DigestOf computes the digest of a module.
func DigestOf(module []byte) Digest {
	sum := sha256.Sum256(module)
	return Digest(hex.EncodeToString(sum[:]))
}

// String returns the digest in the usual form, "sha256:" followed by the digits.
func (d Digest) String() string {
	if d == "" {
		return ""
	}
	return "sha256:" + string(d)
}

// Short returns the first 12 digits, which are enough to distinguish revisions.
func (d Digest) Short() string {
	if len(d) < 12 {
		return string(d)
	}
	return string(d[:12])
}

// Module is an uncompressed WebAssembly module.
type Module struct {
	Bytes  []byte
	Digest Digest
	// Origin names where the module is stored, such as `file "a.wasm"`. It is used in messages and may be empty.
	Origin string
}

// NewModule returns a Module with the bytes and their digest.
func NewModule(bytes []byte) Module {
	return Module{Bytes: bytes, Digest: DigestOf(bytes)}
}
