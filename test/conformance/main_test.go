// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// shared is a directory for all tests. It contains the modules that are built and their native code, whose compilation
// is slow with the race detector. Each module is built and compiled once.
var shared string

func TestMain(m *testing.M) {
	var err error
	if shared, err = os.MkdirTemp("", "conformance-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(shared); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// nativeCode returns the cache directory of all engines.
func nativeCode() string { return filepath.Join(shared, "native") }

// turns serializes the tests that need the same module, so that the first one compiles it for all.
var turns sync.Map

// compiles locks a module until done is called.
func compiles(digest string) (done func()) {
	turn, _ := turns.LoadOrStore(digest, &sync.Mutex{})
	turn.(*sync.Mutex).Lock()
	return turn.(*sync.Mutex).Unlock
}
