// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// DefaultMaxBytes is the default maximum size of an uncompressed module: 64 MiB, which is twenty times the size of a
// standard Go module.
const DefaultMaxBytes = 64 << 20

var (
	gzipMagic = []byte{0x1f, 0x8b}             // RFC 1952, section 2.3.1
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd} // RFC 8878, section 3.1.1
)

// Unpack returns a module from stored bytes: raw, gzip or zstd, detected by their first bytes. It rejects a module of
// more than maxBytes without reading it to its end. Errors are *plugin.LoadError.
func Unpack(stored []byte, maxBytes int64) (plugin.Module, error) {
	var module []byte
	var err error
	switch {
	case bytes.HasPrefix(stored, gzipMagic):
		module, err = unpackGzip(stored, maxBytes)
	case bytes.HasPrefix(stored, zstdMagic):
		module, err = unpackZstd(stored, maxBytes)
	default:
		module = stored
	}
	if err != nil {
		return plugin.Module{}, &plugin.LoadError{
			Reason:  pluginsv1alpha1.ReasonInvalidCompression,
			Message: "the stored module cannot be uncompressed: store it again", Err: err,
		}
	}
	if int64(len(module)) > maxBytes {
		return plugin.Module{}, plugin.Reject(pluginsv1alpha1.ReasonModuleTooLarge,
			"the module has more than the %d bytes that the operator accepts (--max-module-bytes)", maxBytes)
	}
	return plugin.NewModule(module), nil
}

func unpackGzip(stored []byte, maxBytes int64) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(stored))
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	out, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	return out, nil
}

func unpackZstd(stored []byte, maxBytes int64) ([]byte, error) {
	r, err := zstd.NewReader(bytes.NewReader(stored), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	defer r.Close()
	out, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	return out, nil
}
