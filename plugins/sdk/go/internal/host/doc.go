// SPDX-License-Identifier: Apache-2.0

// Package host is the border between a plugin and the k1s operator that runs it. In WebAssembly it
// calls the functions that the operator offers; in native builds it calls whatever a test installed.
package host

// ABIVersion is the version of the guest ABI that this SDK speaks.
const ABIVersion = 1

// MaxPayload is the size in bytes of the largest payload in either direction.
const MaxPayload = 16 << 20

// MaxMetadata is the size in bytes of the largest PluginMetadata.
const MaxMetadata = 256 << 10

// Level is how important a log line is.
type Level uint32

// The levels.
const (
	Debug Level = iota
	Info
	Warning
	Error
)

// Reply is what a Func answers.
type Reply struct {
	// Text is JSON: the result, or a Status if IsError. It may be empty.
	Text    string
	IsError bool
}

// Host stands in for the operator in native builds.
type Host interface {
	Call(f Func, request []byte) Reply
	Log(level Level, text string)
	Now() int64
	Random(b []byte)
}
