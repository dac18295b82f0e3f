// SPDX-License-Identifier: Apache-2.0

package signature

import "fmt"

// IncompleteError means that no signature counts, but that a place that can have others could not be read.
type IncompleteError struct {
	reference string
	// verdict is about what could be read, or empty.
	verdict string
	// Failure is the error of the registry.
	Failure error
}

// Error implements error. The failure is the end, as it can be long.
func (e *IncompleteError) Error() string {
	text := fmt.Sprintf("read the signatures of %q: %v", e.reference, e.Failure)
	if e.verdict != "" {
		text = e.verdict + "; " + text
	}
	return text
}

// Unwrap returns the failure, which decides what to do.
func (e *IncompleteError) Unwrap() error { return e.Failure }
