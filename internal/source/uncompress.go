// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

var (
	gzipMagic = []byte{0x1f, 0x8b}             // RFC 1952, section 2.3.1
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd} // RFC 8878, section 3.1.1
)

// maxWindow is the maximum window of a zstd stream, which the decoder keeps in memory: eight times that of `zstd -19`.
const maxWindow = 64 << 20

func isCompressed(stored []byte) bool {
	return bytes.HasPrefix(stored, gzipMagic) || bytes.HasPrefix(stored, zstdMagic)
}

// Uncompress returns a reader of the content of stored bytes: raw, gzip or zstd, detected by their first bytes. It does
// not limit how much can be read. Its errors name the format.
func Uncompress(stored []byte) (io.ReadCloser, error) {
	in := bytes.NewReader(stored)
	switch {
	case bytes.HasPrefix(stored, gzipMagic):
		r, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return named{"gzip", r}, nil
	case bytes.HasPrefix(stored, zstdMagic):
		r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return named{"zstd", r.IOReadCloser()}, nil
	default:
		return io.NopCloser(in), nil
	}
}

// named adds the name of the format to the errors of a reader.
type named struct {
	format string
	io.ReadCloser
}

// Read implements io.Reader.
func (n named) Read(p []byte) (int, error) {
	read, err := n.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s: %w", n.format, err)
	}
	return read, err
}
