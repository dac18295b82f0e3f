// SPDX-License-Identifier: Apache-2.0

//go:build wasm

package host

import (
	"runtime"
	"sync"
	"unsafe"
)

var (
	// buffers are the blocks of the current call.
	buffers Buffers
	// gate serializes requests. While the host calls k1s_alloc for its reply, Go may run another goroutine of the
	// plugin. The ABI does not allow that goroutine to call the host in the meantime.
	gate sync.Mutex
	// answer keeps a reference to the reply of the last call until the host has read it.
	answer []byte
)

// Install works only in native builds. It exists here so that tests can be vetted for any target.
func Install(Host) (restore func()) { panic("k1stest works in native builds only") }

// Call calls a function of the host.
func Call(f Func, request []byte) Reply {
	gate.Lock()
	ptr, length, isError := unpack(f.call(unsafe.Pointer(unsafe.SliceData(request)), uint32(len(request))))
	text, ok := buffers.Text(uintptr(ptr), length)
	gate.Unlock()
	runtime.KeepAlive(request)
	if !ok {
		return Reply{Text: `{"reason":"InternalError","message":"the host's reply is not in a buffer of the guest"}`, IsError: true}
	}
	return Reply{Text: text, IsError: isError}
}

// Log writes a line to the plugin's log.
func Log(level Level, text string) {
	logText(uint32(level), unsafe.Pointer(unsafe.StringData(text)), uint32(len(text)))
	runtime.KeepAlive(text)
}

// Now returns the current time in nanoseconds since 1970, in UTC.
func Now() int64 { return int64(now()) }

// maxRandom is the maximum number of bytes in one call of k1s_random.
const maxRandom = 64 << 10

// Random fills b from the system's random source.
func Random(b []byte) {
	for len(b) > 0 {
		n := min(len(b), maxRandom)
		random(unsafe.Pointer(unsafe.SliceData(b)), uint32(n))
		runtime.KeepAlive(b)
		b = b[n:]
	}
}

// Alloc implements the export k1s_alloc.
func Alloc(size uint32) uint32 { return uint32(buffers.Alloc(size)) }

// Input returns the input that the host passes to an export. It returns false if the input is not in a buffer that
// Alloc returned.
func Input(ptr, length uint32) (string, bool) { return buffers.Text(uintptr(ptr), length) }

// Answer ends a call: it releases the buffers of the call and returns its reply for the host.
func Answer(reply []byte, isError bool) uint64 {
	buffers.Release()
	answer = reply
	return pack(uint32(address(reply)), uint32(len(reply)), isError)
}
