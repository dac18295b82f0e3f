// SPDX-License-Identifier: Apache-2.0

package binary

import (
	"errors"
	"strings"
	"testing"
)

// TestParse_unsupported verifies that the error for a module beyond core 2.0 names the proposal.
func TestParse_unsupported(t *testing.T) {
	t.Parallel()
	memory := func(flags byte, rest ...byte) []byte {
		return module(section(SectionMemory, append([]byte{1, flags}, rest...)...))
	}
	constant := func(instructions ...byte) []byte {
		return module(section(SectionGlobal, append(append([]byte{1, 0x7f, 0}, instructions...), 0x0b)...))
	}
	form := func(form byte) []byte { return module(section(SectionType, 1, form, 0)) }
	for name, tc := range map[string]struct {
		in       []byte
		proposal Proposal
		what     string
	}{
		"shared memory":            {memory(3, 1, 2), ProposalThreads, "memory section: limits of form 0x03"},
		"shared imported memory":   {module(section(SectionImport, cat(1, "env", "memory", byte(2), []byte{3, 1, 2})...)), ProposalThreads, "import section: element 0: limits of form 0x03"},
		"64-bit memory":            {memory(4, 1), ProposalMemory64, "limits of form 0x04"},
		"64-bit memory, maximum":   {memory(5, 1, 2), ProposalMemory64, "limits of form 0x05"},
		"64-bit table":             {module(section(SectionTable, 1, 0x70, 4, 1)), ProposalMemory64, "table section: element 0: limits of form 0x04"},
		"64-bit shared memory":     {memory(7, 1, 2), ProposalThreads, "limits of form 0x07"},
		"small pages":              {memory(8, 1, 0), ProposalCustomPageSizes, "limits of form 0x08"},
		"two memories":             {module(section(SectionMemory, 2, 0, 1, 0, 1)), ProposalMultiMemory, "memory section: a count of 2 memories"},
		"tags":                     {module(section(13, 1, 0, 0)), ProposalExceptions, "section 13: the section"},
		"imported tag":             {module(section(SectionImport, cat(1, "m", "n", byte(4), 0, 0)...)), ProposalExceptions, `import "m" "n" of kind 4`},
		"exported tag":             {module(section(SectionExport, cat(1, "f", byte(4), 0)...)), ProposalExceptions, `export "f" of kind 4`},
		"strings":                  {module(section(14, 0, 0)), ProposalStringRef, "section 14: the section"},
		"struct":                   {form(0x5f), ProposalGC, "type section: element 0: type form 0x5f"},
		"array":                    {form(0x5e), ProposalGC, "type form 0x5e"},
		"subtype":                  {form(0x50), ProposalGC, "type form 0x50"},
		"final subtype":            {form(0x4f), ProposalGC, "type form 0x4f"},
		"struct in a group":        {module(section(SectionType, 1, 0x4e, 1, 0x5f, 0)), ProposalGC, "type form 0x5f"},
		"continuation":             {form(0x5d), ProposalStackSwitching, "type form 0x5d"},
		"shared type":              {form(0x65), ProposalSharedEverything, "type form 0x65"},
		"descriptor":               {form(0x4d), ProposalCustomDescriptors, "type form 0x4d"},
		"addition in a constant":   {constant(0x41, 1, 0x41, 2, 0x6a), ProposalExtendedConst, "global section: element 0: instruction 0x6a"},
		"64-bit multiplication":    {constant(0x42, 1, 0x42, 2, 0x7e), ProposalExtendedConst, "instruction 0x7e"},
		"new struct in a constant": {constant(0xfb, 1, 0), ProposalGC, "instruction 0xfb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(tc.in)
			var got *UnsupportedError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want an UnsupportedError", err)
			}
			want := tc.what
			if strings.Contains(want, "instruction") {
				want += " in a constant expression"
			}
			want += " (of the " + string(tc.proposal) + " proposal)"
			if got.Proposal != tc.proposal || !strings.Contains(err.Error(), want) {
				t.Errorf("got %q: %v\nwant %q: %s", got.Proposal, err, tc.proposal, want)
			}
		})
	}
}

// TestParse_unknown verifies that an encoding that does not belong to a known proposal is malformed.
func TestParse_unknown(t *testing.T) {
	t.Parallel()
	for name, in := range map[string][]byte{
		"limits":   module(section(SectionMemory, 1, 0x10, 1)),
		"section":  module(section(15)),
		"form":     module(section(SectionType, 1, 0x20, 0)),
		"kind":     module(section(SectionImport, cat(1, "m", "n", byte(9), 0)...)),
		"constant": module(section(SectionGlobal, 1, 0x7f, 0, 0x10, 0, 0x0b)),
	} {
		var got *UnsupportedError
		if _, err := Parse(in); err == nil || errors.As(err, &got) {
			t.Errorf("%s: got %v, want an error without a proposal", name, err)
		}
	}
}
