// SPDX-License-Identifier: Apache-2.0

package signature

import "fmt"

// guarded calls a function, and converts a panic to an error. The parsers of certificates, log entries and timestamps
// are large, and their input is untrusted: a fault in one of them must not end the operator, which runs the plugins of
// everybody.
func guarded(what string, call func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: panic: %v", what, r)
		}
	}()
	return call()
}
