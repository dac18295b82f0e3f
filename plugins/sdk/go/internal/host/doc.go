// SPDX-License-Identifier: Apache-2.0

// Package host implements the boundary between a plugin and the k1s operator that runs it. In WebAssembly it calls the
// host functions of the operator. In native builds it calls the Host that a test installed.
package host

// ABIVersion is the version of the guest ABI that this SDK implements.
const ABIVersion = 1

// MaxPayload is the maximum size of a payload in either direction, in bytes.
const MaxPayload = 16 << 20

// MaxMetadata is the maximum size of PluginMetadata, in bytes.
const MaxMetadata = 256 << 10

// Level is the level of a log line.
type Level uint32

// The levels.
const (
	Debug Level = iota
	Info
	Warning
	Error
)

// Reply is the reply of a Func.
type Reply struct {
	// Text is JSON: the result, or a Status if IsError. It may be empty.
	Text    string
	IsError bool
}

// Host replaces the operator in native builds.
type Host interface {
	Call(f Func, request []byte) Reply
	Log(level Level, text string)
	Now() int64
	Random(b []byte)
}
