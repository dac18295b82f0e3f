// SPDX-License-Identifier: Apache-2.0

// Package sniff implements the detection of data that is stored in place of a WebAssembly module, for messages: an
// error page, an archive, base64 text. It examines only the first KiB, and never panics, whatever the bytes are.
package sniff

import "bytes"

// most is the number of bytes that are examined.
const most = 1 << 10

// Content is the kind of some data.
type Content struct {
	// What completes "it holds …", such as "an HTML page". It is empty if the kind is unknown.
	What string
	// Advice says how to fix it, such as "compile it with wat2wasm".
	Advice string
}

const (
	storeAsIs   = "store the module's bytes as they are"
	takeOut     = "take the .wasm file out of it, and store that"
	buildAsWasm = "build it for WebAssembly"
	unpackFirst = "unpack it, and store the module, or that as gzip or zstd"
	decodeFirst = "decode it, and store the module's bytes, as `kubectl create configmap --from-file` does"
	buildAsCore = "build the plugin as a core module (Rust: target wasm32-unknown-unknown, not wasm32-wasip2; C: -mexec-model=reactor)"
)

// The kinds of WebAssembly. A component differs from a core module in the layer, 16 bits after the version.
var (
	module    = Content{"a WebAssembly module", storeAsIs}
	component = Content{"a WebAssembly component", buildAsCore}
)

// IsModule reports whether the data begins like a core module.
func (c Content) IsModule() bool { return c == module }

// IsComponent reports whether the data begins like a component of the component model, which is not a core module.
func (c Content) IsComponent() bool { return c == component }

// IsProgram reports whether the data begins like a program or library for a processor.
func (c Content) IsProgram() bool { return c.Advice == buildAsWasm }

// signature is the magic number of a kind of file.
type signature struct {
	at      int
	magic   string
	content Content
}

// of reports whether the data has the signature.
func (s signature) of(head []byte) bool {
	return len(head) >= s.at && bytes.HasPrefix(head[s.at:], []byte(s.magic))
}

// signatures are the kinds that are detected by their first bytes.
var signatures = []signature{
	{0, "\x00asm", module},
	{0, "\x1f\x8b\x08", Content{"a gzip file", unpackFirst}},
	{0, "\x28\xb5\x2f\xfd", Content{"a zstd file", unpackFirst}},
	{0, "BZh", Content{"a bzip2 file", unpackFirst}},
	{0, "\xfd7zXZ\x00", Content{"an xz file", unpackFirst}},
	{0, "PK\x03\x04", Content{"a zip archive", takeOut}},
	{0, "PK\x05\x06", Content{"an empty zip archive", storeAsIs}},
	{0, "7z\xbc\xaf\x27\x1c", Content{"a 7z archive", takeOut}},
	{257, "ustar", Content{"a tar archive", takeOut}},
	{0, "\x7fELF", Content{"a Linux program or library (ELF)", buildAsWasm}},
	{0, "MZ", Content{"a Windows program (PE)", buildAsWasm}},
	{0, "\xcf\xfa\xed\xfe", Content{"a macOS program (Mach-O)", buildAsWasm}},
	{0, "\xca\xfe\xba\xbe", Content{"a macOS program or a Java class", buildAsWasm}},
	{0, "!<arch>\n", Content{"a static library (ar)", "link it to a WebAssembly module"}},
	{0, "BC\xc0\xde", Content{"LLVM bitcode", "link it to a WebAssembly module"}},
	{0, "\xff\xfe", Content{"UTF-16 text", storeAsIs + ": a shell may have changed them when it wrote the file"}},
	{0, "\xfe\xff", Content{"UTF-16 text", storeAsIs + ": a shell may have changed them when it wrote the file"}},
}

// Of returns the kind of stored data.
func Of(stored []byte) Content {
	if len(stored) == 0 {
		return Content{"nothing (0 bytes)", storeAsIs}
	}
	head := stored[:min(len(stored), most)]
	for _, s := range signatures {
		if s.of(head) {
			if s.content.IsModule() && bytes.HasPrefix(head[min(len(head), 6):], []byte{1, 0}) {
				return component
			}
			return s.content
		}
	}
	if isText(head, len(stored) > most) {
		return ofText(head)
	}
	return Content{}
}
