// SPDX-License-Identifier: Apache-2.0

package wasi

import (
	"context"
	"io"
	"time"
)

// ModuleName is the name of the module from which guests import the functions.
const ModuleName = "wasi_snapshot_preview1"

// Guest is the instance that calls a function.
type Guest interface {
	// MustContinue stops the guest, by a panic, if its call has exceeded the deadline or was canceled.
	MustContinue()
	// Charge takes fuel for the given number of bytes that a host function moves.
	Charge(bytes int)
	// Sleep returns after the duration, or stops the guest at its deadline.
	Sleep(d time.Duration)
	// Random fills p with random bytes.
	Random(p []byte)
	// Stdout and Stderr receive what the guest writes. They never fail.
	Stdout() io.Writer
	Stderr() io.Writer
}

// From returns the calling Guest from the context of a host function.
type From func(ctx context.Context) Guest
