// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lockPoll is the interval at which a waiting process retries. Blocking in flock would not react to a canceled context.
const lockPoll = 500 * time.Millisecond

// lock acquires an exclusive lock on the file at path. The kernel releases it when the process ends in any way. If
// another process holds the lock, waiting is called once.
func lock(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the lock file: %w", err)
	}
	release := func() { _ = file.Close() }

	ticker := time.NewTicker(lockPoll)
	defer ticker.Stop()
	for first := true; ; first = false {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return release, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			release()
			return nil, fmt.Errorf("lock %q: %w", path, err)
		}
		if first {
			waiting()
		}
		select {
		case <-ctx.Done():
			release()
			return nil, fmt.Errorf("wait for the lock %q: %w", path, ctx.Err())
		case <-ticker.C:
		}
	}
}
