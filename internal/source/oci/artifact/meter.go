// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"context"
	"errors"
	"io"
)

// errTooLong means that a layer uncompresses to more bytes than allowed.
var errTooLong = errors.New("the layer is too long")

// streamError is an error of a layer's compression, as opposed to one of the archive in it.
type streamError struct{ error }

// Unwrap returns the cause.
func (e streamError) Unwrap() error { return e.error }

// readFunc is an io.Reader.
type readFunc func(p []byte) (int, error)

// Read implements io.Reader.
func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// meter returns a reader of an uncompressed layer that fails when the context ends, and with errTooLong after as many
// bytes as are left. Its other errors are streamErrors.
func (l *limits) meter(ctx context.Context, r io.Reader) io.Reader {
	left := min(l.layer, l.uncompressed)
	return readFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := r.Read(p)
		left -= int64(n)
		l.uncompressed -= int64(n)
		switch {
		case left < 0:
			return 0, errTooLong
		case err != nil && !errors.Is(err, io.EOF):
			return n, streamError{err}
		default:
			return n, err
		}
	})
}
