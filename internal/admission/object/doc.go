// SPDX-License-Identifier: Apache-2.0

// Package object looks at the objects of requests that are held up, and reads what guests want of them. Both are
// bytes of strangers: nothing here may panic, or take long, whatever they are.
//
// An object is looked at and cut as it stands, as decoding it would cost more than most guests do with it. The API
// server's are JSON; of bytes that are none, whatever is found is wrong but in bounds.
package object
