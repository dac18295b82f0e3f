// SPDX-License-Identifier: Apache-2.0

//go:build !wasm

package host

import (
	"crypto/rand"
	"sync"
	"time"
)

var (
	mu        sync.RWMutex
	installed Host = absent{}
)

// Install makes h the host until restore is called.
func Install(h Host) (restore func()) {
	mu.Lock()
	defer mu.Unlock()
	before := installed
	installed = h
	return func() {
		mu.Lock()
		defer mu.Unlock()
		installed = before
	}
}

func current() Host {
	mu.RLock()
	defer mu.RUnlock()
	return installed
}

// Call calls a function of the host.
func Call(f Func, request []byte) Reply { return current().Call(f, request) }

// Log writes a line to the plugin's log.
func Log(level Level, text string) { current().Log(level, text) }

// Now returns the current time in nanoseconds since 1970, in UTC.
func Now() int64 { return current().Now() }

// Random fills b from the system's random source.
func Random(b []byte) { current().Random(b) }

// absent is the host while no test has installed one. Only its clock and its random source work.
type absent struct{}

func (absent) Call(f Func, _ []byte) Reply {
	return Reply{
		Text:    `{"reason":"InternalError","message":"` + f.Name() + ` called without a host; a test makes one with k1stest.New"}`,
		IsError: true,
	}
}

func (absent) Log(Level, string) {}

func (absent) Now() int64 { return time.Now().UnixNano() }

func (absent) Random(b []byte) { _, _ = rand.Read(b) }
