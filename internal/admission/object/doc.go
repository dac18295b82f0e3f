// SPDX-License-Identifier: Apache-2.0

// Package object implements the inspection of the objects of admission requests, and of the defaults that guests set in
// them. Both are bytes from untrusted sources: whatever they are, no function may panic or take long.
//
// An object is inspected and cut without decoding it, because decoding would cost more than most guests do with it. The
// API server sends JSON. For bytes that are not JSON, the results are wrong, but within bounds.
package object
