// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"cmp"
	"errors"
	"fmt"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/sniff"
)

// rank orders findings: if there is no module, the reason and the advice are those of the finding of the highest rank.
type rank int

const (
	// rankOther is anything that is not a module, and was not meant to be one.
	rankOther rank = iota
	// rankSuffix is a file whose name ends in .wasm, but which is not a module.
	rankSuffix
	// rankTooLarge is a layer or a module that exceeds a limit.
	rankTooLarge
	// rankArchive is an invalid archive.
	rankArchive
	// rankCompression is an invalid gzip or zstd stream.
	rankCompression
	// rankProgram is a program for a processor.
	rankProgram
	// rankComponent is a WebAssembly component.
	rankComponent
)

// reason returns the condition reason of a rank.
func (r rank) reason() string {
	switch r {
	case rankComponent, rankProgram:
		return pluginsv1alpha1.ReasonNotWasm
	case rankCompression:
		return pluginsv1alpha1.ReasonInvalidCompression
	case rankArchive:
		return pluginsv1alpha1.ReasonInvalidArchive
	case rankTooLarge:
		return pluginsv1alpha1.ReasonModuleTooLarge
	default:
		return pluginsv1alpha1.ReasonNoModule
	}
}

// finding is something in the artifact that is not a module.
type finding struct {
	rank rank
	// where names the layer or the manifest, what says what is with it, and advice how to fix it.
	where, what, advice string
}

const pushModule = "push the module's file, for example with `oras push REGISTRY/REPOSITORY:TAG plugin.wasm`"

// note records a finding about a layer.
func (s *search) note(p place, f *finding) {
	f.where = p.where
	s.findings = append(s.findings, *f)
}

// notModule returns the finding of data that is not a module. The verb is followed by the kind of the data.
func notModule(verb string, kind sniff.Content) *finding {
	f := finding{what: verb + " " + cmp.Or(kind.What, "data of an unknown kind"), advice: cmp.Or(kind.Advice, pushModule)}
	switch {
	case kind.IsComponent():
		f.rank = rankComponent
	case kind.IsProgram():
		f.rank = rankProgram
	}
	return &f
}

// tooLarge returns the finding of data that exceeds the limit.
func tooLarge(what string, maxModule int64) *finding {
	return &finding{
		rank:   rankTooLarge,
		what:   fmt.Sprintf("%s, but the operator accepts modules of up to %d bytes (--max-module-bytes)", what, maxModule),
		advice: "build a smaller module, or push it without other files",
	}
}

// unreadable returns the finding of a layer that could not be read to its end.
func unreadable(err error, maxModule int64) *finding {
	var stream streamError
	switch {
	case errors.Is(err, errTooLong):
		return tooLarge("uncompresses to too many bytes", maxModule)
	case errors.As(err, &stream):
		return &finding{rank: rankCompression, what: fmt.Sprintf("cannot be uncompressed (%v)", stream.error), advice: "build and push the artifact again"}
	default:
		return &finding{rank: rankArchive, what: fmt.Sprintf("holds an invalid tar archive (%v)", err), advice: "build and push the artifact again"}
	}
}
