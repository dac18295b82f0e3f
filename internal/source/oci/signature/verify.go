// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Verify returns who signed a manifest, if a signature in one of the places of its repository counts by the policy: its
// mirrors and, as the last one, the repository itself. The first such signature decides, and then no further place is
// asked. The reference is the user's name for the artifact, for messages.
//
// Errors are *plugin.LoadError, unless the registry failed, the context ended, or the arguments are not valid: then
// nothing is known about the signatures. If the registry failed, it is an *IncompleteError.
func Verify(ctx context.Context, places []Repository, subject ocispec.Descriptor, reference string, p Policy) (Signer, error) {
	if err := subject.Digest.Validate(); err != nil {
		return Signer{}, fmt.Errorf("digest %q of %q: %w", subject.Digest, reference, err)
	}
	check, err := newChecker(p)
	if err != nil {
		return Signer{}, fmt.Errorf("verify the signature of %q: %w", reference, err)
	}
	s := &search{subject: subject, reference: reference, checker: check, ofReferrers: newBudget(), ofTag: newBudget()}
	var unanswered []error
	for _, place := range places {
		s.repository = place
		unanswered = slices.Concat(s.place(ctx), unanswered)
		if s.signer != nil {
			return *s.signer, nil
		}
		if ctx.Err() != nil {
			return Signer{}, fmt.Errorf("verify the signature of %q: %w", reference, context.Cause(ctx))
		}
	}
	if !s.complete {
		s.fail(errors.Join(unanswered...))
	}
	return Signer{}, s.result(reference, p)
}

// result returns why no signature counts.
func (s *search) result(reference string, p Policy) error {
	switch {
	case s.failure != nil:
		err := &IncompleteError{reference: reference, Failure: s.failure}
		if s.best != nil {
			err.verdict = s.best.Error()
		} else if s.answered {
			err.verdict = fmt.Sprintf("%q has no signature in what could be read", reference)
		}
		return err
	case s.more:
		tooMany := plugin.Reject(pluginsv1alpha1.ReasonTooManySignatures,
			"%q has more signatures, or other manifests that refer to it, than are read, and none of the %d signatures that were read is valid: remove signatures with `cosign clean`, and sign it again",
			reference, s.tried)
		if s.best != nil {
			tooMany.Err = s.best
		}
		return tooMany
	case s.best != nil:
		return s.best
	default:
		return plugin.Reject(pluginsv1alpha1.ReasonNotSigned, "%q has no signature: sign it with `cosign sign%s %s`",
			reference, keyFlag(p), plugin.ShellQuote(pinned(reference, s.subject.Digest)))
	}
}

// keyFlag returns the flag with which cosign signs as the policy wants.
func keyFlag(p Policy) string {
	if p.Keyless == nil {
		return " --key cosign.key"
	}
	return ""
}

// pinned returns a reference to the same repository with the digest in place of a tag.
func pinned(reference string, to digest.Digest) string {
	repository, _, _ := strings.Cut(reference, "@")
	if colon := strings.LastIndex(repository, ":"); colon > strings.LastIndex(repository, "/") {
		repository = repository[:colon]
	}
	return repository + "@" + to.String()
}
