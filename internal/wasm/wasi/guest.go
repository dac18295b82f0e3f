// SPDX-License-Identifier: Apache-2.0

package wasi

import (
	"context"
	"io"
	"time"
)

// ModuleName is the name that guests import the functions from.
const ModuleName = "wasi_snapshot_preview1"

// Guest is what the functions need of the instance that calls them.
type Guest interface {
	// MustContinue stops the guest, by a panic, when its call is past the deadline or canceled.
	MustContinue()
	// Charge takes fuel for so many bytes that a host function moves.
	Charge(bytes int)
	// Sleep returns after the duration, or stops the guest at its deadline.
	Sleep(d time.Duration)
	// Random fills p with random bytes.
	Random(p []byte)
	// Stdout and Stderr take what the guest writes. They never fail.
	Stdout() io.Writer
	Stderr() io.Writer
}

// From returns the Guest that calls, from the context of a host function.
type From func(ctx context.Context) Guest
