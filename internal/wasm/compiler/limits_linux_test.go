// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestProcess_Compile_niceness verifies that all threads of a child have the low priority, as one of them alone would
// not be the thread that compiles.
func TestProcess_Compile_niceness(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Process{Path: self, CacheDir: t.TempDir()}.Compile(ctx, nested(10_000, 300)) }()
	defer func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: got %v", err)
		}
	}()
	deadline := time.Now().Add(time.Minute)
	for {
		err := lowChild()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// lowChild returns nil if there is a child process of several threads that all have the niceness.
func lowChild() error {
	found := errors.New("there is no child")
	processes, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, process := range processes {
		if fields := statFields(process); len(fields) < 17 || fields[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		threads, _ := filepath.Glob(filepath.Join(filepath.Dir(process), "task", "*", "stat"))
		var nice []string
		low := len(threads) > 1
		for _, thread := range threads {
			if fields := statFields(thread); len(fields) > 16 {
				nice = append(nice, fields[16])
				low = low && fields[16] == strconv.Itoa(niceness)
			}
		}
		if low {
			return nil
		}
		found = fmt.Errorf("the threads of a child have the niceness %q, want %d", nice, niceness)
	}
	return found
}

// statFields returns the fields of a stat file of /proc behind the name: state, parent, and so on (proc_pid_stat(5)).
func statFields(file string) []string {
	text, _ := os.ReadFile(file)
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.Fields(rest)
}
