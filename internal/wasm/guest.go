// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"github.com/k1s-io/k1s/internal/wasm/wasi"
)

var _ wasi.Guest = (*instance)(nil)

func guestFrom(ctx context.Context) wasi.Guest { return instanceFrom(ctx) }

// Sleep implements wasi.Guest.
func (in *instance) Sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	in.without(in.running, func() {
		select {
		case <-timer.C:
		case <-in.running.Done():
			panic(timeout(in.running))
		}
	})
}

// Random implements wasi.Guest.
func (in *instance) Random(p []byte) { _, _ = rand.Read(p) } // crypto/rand never fails

// Stdout implements wasi.Guest.
func (in *instance) Stdout() io.Writer { return in.stdout }

// Stderr implements wasi.Guest.
func (in *instance) Stderr() io.Writer { return in.stderr }
