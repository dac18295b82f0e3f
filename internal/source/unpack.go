// SPDX-License-Identifier: Apache-2.0

package source

import (
	"io"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// DefaultMaxBytes is the default maximum size of an uncompressed module: 64 MiB, which is twenty times the size of a
// standard Go module.
const DefaultMaxBytes = 64 << 20

// Unpack returns a module from stored bytes: raw, gzip or zstd, detected by their first bytes. It rejects a module of
// more than maxBytes without reading it to its end. Errors are *plugin.LoadError.
func Unpack(stored []byte, maxBytes int64) (plugin.Module, error) {
	module := stored
	if isCompressed(stored) {
		var err error
		if module, err = readAll(stored, maxBytes); err != nil {
			return plugin.Module{}, &plugin.LoadError{
				Reason:  pluginsv1alpha1.ReasonInvalidCompression,
				Message: "the stored module cannot be uncompressed: store it again", Err: err,
			}
		}
	}
	if int64(len(module)) > maxBytes {
		return plugin.Module{}, plugin.Reject(pluginsv1alpha1.ReasonModuleTooLarge,
			"the module has more than the %d bytes that the operator accepts (--max-module-bytes)", maxBytes)
	}
	return plugin.NewModule(module), nil
}

// readAll returns the uncompressed content, and at most one byte more than maxBytes.
func readAll(stored []byte, maxBytes int64) ([]byte, error) {
	r, err := Uncompress(stored)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, maxBytes+1))
}
