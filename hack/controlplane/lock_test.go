// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

func TestLock_secondRunWaits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), ".lock")
	unlock, err := lock(t.Context(), path, func() { t.Error("the first run waits") })
	must(t, err)

	waits := make(chan struct{})
	got := make(chan error, 1)
	go func() {
		unlock, err := lock(t.Context(), path, func() { close(waits) })
		if err == nil {
			unlock()
		}
		got <- err
	}()
	<-waits
	unlock()
	if err := <-got; err != nil {
		t.Errorf("the second run did not get the lock: %v", err)
	}
}

func TestLock_interruptedWhileWaiting(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), ".lock")
	unlock, err := lock(t.Context(), path, func() {})
	must(t, err)
	defer unlock()

	ctx, cancel := context.WithCancel(t.Context())
	if _, err := lock(ctx, path, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
}
