// SPDX-License-Identifier: Apache-2.0

package binary

import "fmt"

// Proposal is the name of a WebAssembly proposal that k1s does not support.
type Proposal string

// Proposals that can be recognized in a module.
const (
	ProposalThreads           Proposal = "threads"
	ProposalExceptions        Proposal = "exception handling"
	ProposalTailCalls         Proposal = "tail call"
	ProposalMemory64          Proposal = "memory64"
	ProposalGC                Proposal = "garbage collection"
	ProposalTypedReferences   Proposal = "typed function references"
	ProposalMultiMemory       Proposal = "multi-memory"
	ProposalRelaxedSIMD       Proposal = "relaxed SIMD"
	ProposalExtendedConst     Proposal = "extended constant expressions"
	ProposalWideArithmetic    Proposal = "wide arithmetic"
	ProposalStringRef         Proposal = "reference-typed strings"
	ProposalMemoryControl     Proposal = "memory control"
	ProposalCustomPageSizes   Proposal = "custom page sizes"
	ProposalStackSwitching    Proposal = "stack switching"
	ProposalSharedEverything  Proposal = "shared-everything threads"
	ProposalCustomDescriptors Proposal = "custom descriptors"
)

// UnsupportedError is returned for a module that uses a proposal beyond WebAssembly core 2.0.
type UnsupportedError struct {
	Proposal Proposal
	// What is the part of the module that belongs to the proposal, such as "opcode 0xfe".
	What string
}

// Error implements error.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s (of the %s proposal) is not of WebAssembly 2.0", e.What, e.Proposal)
}

// Unsupported returns the error for a part of a module that is not part of WebAssembly core 2.0. It is an
// *UnsupportedError if the proposal is known.
func Unsupported(p Proposal, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if p == "" {
		return fmt.Errorf("%s (unknown) is not of WebAssembly 2.0", what)
	}
	return &UnsupportedError{Proposal: p, What: what}
}

// Identifiers of sections beyond core 2.0.
const (
	sectionTag     = 13
	sectionStrings = 14
)

func sectionProposal(id byte) Proposal {
	switch id {
	case sectionTag:
		return ProposalExceptions
	case sectionStrings:
		return ProposalStringRef
	default:
		return ""
	}
}

// externTag is the kind of imported and exported tags.
const externTag ExternKind = 4

func externProposal(k ExternKind) Proposal {
	if k == externTag {
		return ProposalExceptions
	}
	return ""
}

// TypeFormProposal returns the proposal that a form in the type section belongs to, or "".
func TypeFormProposal(form byte) Proposal {
	switch form {
	case typeRecursive, 0x4f, 0x50, 0x5e, 0x5f: // rec, sub final, sub, array, struct
		return ProposalGC
	case 0x4c, 0x4d: // describes, descriptor
		return ProposalCustomDescriptors
	case 0x5d: // cont
		return ProposalStackSwitching
	case 0x65: // shared
		return ProposalSharedEverything
	default:
		return ""
	}
}

// ValueTypeProposal returns the proposal that the first byte of a value type belongs to, or "".
func ValueTypeProposal(t byte) Proposal {
	switch t {
	case 0x71, 0x6e, 0x6d, 0x6c, 0x6b, 0x6a, 0x72, 0x73, 0x77, 0x78: // none, any, eq, i31, struct, array, …
		return ProposalGC
	case 0x69, 0x74: // exn, noexn
		return ProposalExceptions
	case 0x68, 0x75: // cont, nocont
		return ProposalStackSwitching
	case 0x67:
		return ProposalStringRef
	case 0x65:
		return ProposalSharedEverything
	case refNull, ref, 0x40: // 0x40 is the first byte of a table with an initial value
		return ProposalTypedReferences
	default:
		return ""
	}
}

// Flags of limits beyond core 2.0 (core 3.0, section 5.3.12).
const (
	limitsShared    = 1 << 1
	limits64        = 1 << 2
	limitsPageSize  = 1 << 3
	limitsKnownBits = 1<<4 - 1
)

func limitsProposal(flags byte) Proposal {
	switch {
	case flags&^limitsKnownBits != 0:
		return ""
	case flags&limitsShared != 0:
		return ProposalThreads
	case flags&limits64 != 0:
		return ProposalMemory64
	case flags&limitsPageSize != 0:
		return ProposalCustomPageSizes
	default:
		return ""
	}
}

// constantProposal returns the proposal that an instruction of a constant expression belongs to, or "".
func constantProposal(op byte) Proposal {
	switch op {
	case 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e: // add, sub and mul of i32 and i64
		return ProposalExtendedConst
	case opGC:
		return ProposalGC
	default:
		return ""
	}
}
