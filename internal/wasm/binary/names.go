// SPDX-License-Identifier: Apache-2.0

package binary

import "errors"

// nameSection is the custom section with the names of functions and locals (core 2.0, section 7.4.1).
const nameSection = "name"

// Subsections of the name section. The engine ignores the others.
const (
	namesModule = iota
	namesFunctions
	namesLocals
)

// names checks the name section. The engine reads it too, for the names in the stack trace of a trap, and rejects a
// malformed name section, although the WebAssembly specification says to ignore it.
func names(r *reader) error {
	for len(r.b) > 0 {
		id, err := r.byte()
		if err != nil {
			return err
		}
		size, err := r.u32()
		if err != nil {
			return err
		}
		b, err := r.bytes(size)
		if err != nil {
			return err
		}
		if id > namesLocals {
			continue
		}
		sub := &reader{b: b}
		switch id {
		case namesModule:
			_, err = sub.name()
		case namesFunctions:
			err = nameMap(sub, maxFunctions)
		case namesLocals:
			err = sub.vector("functions with names of locals", maxFunctions, func() error {
				if _, err := sub.u32(); err != nil { // the function index
					return err
				}
				return nameMap(sub, maxLocals+maxParams)
			})
		}
		if err != nil {
			return err
		}
		if len(sub.b) > 0 {
			return errors.New("a subsection of names is longer than it says")
		}
	}
	return nil
}

// nameMap reads a vector of indices and names.
func nameMap(r *reader, limit uint64) error {
	return r.vector("names", limit, func() error {
		if _, err := r.u32(); err != nil {
			return err
		}
		_, err := r.name()
		return err
	})
}
