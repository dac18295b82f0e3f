// SPDX-License-Identifier: Apache-2.0

package binary

import "fmt"

// Encodings of types in the binary format (core 3.0, section 5.3; core 2.0 has no prefixes).
const (
	typeFunc      = 0x60
	typeRecursive = 0x4e
	typeFuncRef   = 0x70
	typeExternRef = 0x6f
	refNull       = 0x63 // a prefix: (ref null …)
	ref           = 0x64 // a prefix: (ref …)
)

// Heap types that have a short form instead of a prefix.
const (
	heapFunc   = -0x10
	heapExtern = -0x11
)

// recursiveType reads one entry of the type section: a function type, or a group of function types.
func (p *parser) recursiveType(r *reader) error {
	form, err := r.byte()
	if err != nil {
		return err
	}
	if form != typeRecursive {
		return p.funcType(form, r)
	}
	return r.vector("types of a group", maxTypes, func() error {
		form, err := r.byte()
		if err != nil {
			return err
		}
		return p.funcType(form, r)
	})
}

func (p *parser) funcType(form byte, r *reader) error {
	if form != typeFunc {
		return Unsupported(TypeFormProposal(form), "type form 0x%02x", form)
	}
	if len(p.types) == maxTypes { // a group may contain several
		return fmt.Errorf("%w: more than %d types", ErrLimit, maxTypes)
	}
	var t FuncType
	for _, list := range []*[]byte{&t.Params, &t.Results} {
		err := r.vector("parameters or results", maxParams, func() error {
			v, err := valueType(r)
			*list = append(*list, v)
			return err
		})
		if err != nil {
			return err
		}
	}
	p.types = append(p.types, t)
	return nil
}

// valueType reads a value type. It returns the prefix for a reference to a type that the module defines.
func valueType(r *reader) (byte, error) {
	c, err := r.byte()
	if err != nil || (c != refNull && c != ref) {
		return c, err
	}
	heap, err := r.signed(33)
	switch {
	case c == refNull && heap == heapFunc:
		return typeFuncRef, err
	case c == refNull && heap == heapExtern:
		return typeExternRef, err
	default:
		return c, err
	}
}

// limits reads the limits of a memory or table.
func limits(r *reader) (l Limits, err error) {
	flags, err := r.byte()
	if err != nil {
		return l, err
	}
	if flags > 1 { // shared and 64-bit memories are proposals beyond core 2.0
		return l, Unsupported(limitsProposal(flags), "limits of form 0x%02x", flags)
	}
	if l.Min, err = r.u32(); err != nil {
		return l, err
	}
	if flags&1 != 0 {
		l.HasMax = true
		l.Max, err = r.u32()
	}
	return l, err
}
