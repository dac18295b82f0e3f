// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"context"
	"encoding/json"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// search looks for a signature that counts.
type search struct {
	// repository is the place that is searched.
	repository Repository
	subject    ocispec.Descriptor
	reference  string
	checker    *checker
	// ofReferrers and ofTag are what may still be read of the referrers, and of the tag, in all places together.
	ofReferrers, ofTag *budget

	// signer is who made the signature that counts. The search ends with it.
	signer *Signer
	// best is the finding of the signature that passed the most checks.
	best finding
	// tried is the number of signatures, and more is true if there are others that were not tried.
	tried int
	more  bool
	// answered is whether any place answered, and complete whether the last one answered everything.
	answered, complete bool
	// failure is the first failure of the registry. The search goes on, as another signature may count.
	failure error
	// manifest is the content of the subject, once it was read.
	manifest []byte
}

// place searches the current place. It returns the errors of what the place did not answer, and records whether it
// answered everything. The last place is the repository itself, whose answer is complete whatever its mirrors answer.
func (s *search) place(ctx context.Context) (unanswered []error) {
	for _, part := range []func(context.Context) error{s.referrers, s.tag} {
		err := part(ctx)
		if s.signer != nil || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			unanswered = append(unanswered, err)
		} else {
			s.answered = true
		}
	}
	s.complete = len(unanswered) == 0
	return unanswered
}

// referrers searches the manifests that refer to the artifact.
func (s *search) referrers(ctx context.Context) error {
	all, err := s.repository.Referrers(ctx, s.subject, maxReferrers)
	if err != nil {
		return ignoreNotFound(fmt.Errorf("list the manifests that refer to %s: %w", s.subject.Digest, err))
	}
	if len(all) >= maxReferrers {
		s.more = true
		all = all[:maxReferrers]
	}
	for _, d := range signaturesFirst(all) {
		if s.manifestAt(ctx, d, s.ofReferrers); s.signer != nil {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.ofReferrers.manifests < 0 {
			return nil
		}
	}
	return nil
}

// tag searches the manifest that has the tag of the artifact's signatures.
func (s *search) tag(ctx context.Context) error {
	name := s.subject.Digest.Algorithm().String() + "-" + s.subject.Digest.Encoded() + ".sig"
	d, err := s.repository.Resolve(ctx, name)
	if err != nil {
		return ignoreNotFound(fmt.Errorf("resolve the tag %q: %w", name, err))
	}
	s.manifestAt(ctx, d, s.ofTag)
	return nil
}

// manifestAt tries the signatures in a manifest, unless another place had it too.
func (s *search) manifestAt(ctx context.Context, d ocispec.Descriptor, left *budget) {
	if left.isKnown(d.Digest) {
		return
	}
	if !left.takeManifest() {
		s.more = true
		return
	}
	where := fmt.Sprintf("manifest %s with signatures of %q", d.Digest, s.reference)
	if d.Size > maxManifestBytes {
		// Nothing but signatures makes such a manifest large.
		s.more = true
		return
	}
	content, ok := s.read(ctx, where, d, maxManifestBytes, left)
	if !ok {
		return
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(content, &manifest); err != nil {
		s.best = furthest(s.best, malformed(where, err))
		return
	}
	for _, layer := range manifest.Layers {
		if layer.MediaType != typeSimpleSigning && !isBundle(layer.MediaType) {
			continue // a referrer of another kind
		}
		if !left.takeSignature() {
			s.more = true
			return
		}
		if s.layer(ctx, layer, left); s.signer != nil || ctx.Err() != nil {
			return
		}
	}
}

// layer tries the signature in a layer.
func (s *search) layer(ctx context.Context, layer ocispec.Descriptor, left *budget) {
	s.tried++
	where := fmt.Sprintf("signature %s of %q", layer.Digest, s.reference)
	limit := int64(maxPayloadBytes)
	if isBundle(layer.MediaType) {
		limit = maxBundleBytes
	}
	content, ok := s.read(ctx, where, layer, limit, left)
	if !ok {
		return
	}
	c, isSignature, why := s.candidate(where, layer, content)
	if !isSignature {
		return
	}
	if why == nil && !c.hasStatement() && c.message == nil {
		var err error
		if c.message, err = s.subjectManifest(ctx); err != nil {
			s.fail(err)
			return
		}
	}
	if why == nil {
		var signer Signer
		if signer, why = s.checker.check(c); why == nil {
			s.signer = &signer
			return
		}
	}
	s.best = furthest(s.best, why)
}

// candidate converts the content of a layer.
func (s *search) candidate(where string, layer ocispec.Descriptor, content []byte) (candidate, bool, finding) {
	if isBundle(layer.MediaType) {
		return bundleCandidate(where, content, s.subject.Digest)
	}
	c, why := simpleCandidate(where, layer.Annotations, content, s.subject.Digest)
	return c, true, why
}

// fail records a failure of the registry.
func (s *search) fail(err error) {
	if s.failure == nil {
		s.failure = err
	}
}
