// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// errLate means that a registry did not begin to send.
var errLate = errors.New("the registry did not begin to send")

// slowError means that a registry sent less than minRate.
type slowError struct {
	bytes  int64
	period time.Duration
}

// Error implements error.
func (e slowError) Error() string {
	return fmt.Sprintf("the registry sent only %d bytes in %s", e.bytes, e.period)
}

// brokenError is an error of a connection, as opposed to content that ends early.
type brokenError struct{ cause error }

// Error implements error. It does not wrap the cause, which can be io.ErrUnexpectedEOF.
func (e brokenError) Error() string { return "the connection broke: " + e.cause.Error() }

// paceReader counts the bytes of a download.
type paceReader struct {
	io.Reader

	arrived atomic.Int64
}

// Read implements io.Reader.
func (p *paceReader) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = brokenError{err}
	}
	p.arrived.Add(int64(n))
	return n, err
}

// watch calls cancel with a slowError when too little has arrived in a period. It returns then, or when the
// context ends. The rate is in bytes per second.
func (p *paceReader) watch(ctx context.Context, period time.Duration, rate int64, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if n := p.arrived.Swap(0); n < int64(period.Seconds()*float64(rate)) {
			cancel(slowError{n, period})
			return
		}
	}
}
