// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/k1s-io/k1s/internal/source/oci/signature"
)

// Signatures is whose signatures an artifact must have.
type Signatures struct {
	// ID changes with the policy.
	ID     string
	Policy signature.Policy
}

// Required is a policy of the operator for a part of a registry.
type Required struct {
	// Prefix is a registry, with a beginning of the repository if it has a "/". ParsePrefix returns it.
	Prefix string
	// Signatures returns the policy as it is now: keys are replaced. While it fails, nothing is used.
	Signatures func() (Signatures, error)
}

// required returns all policies for a reference: those of the operator, which no plugin can change, and the plugin's own.
func (p *puller) required(ref Reference, insecure bool, own *Signatures) ([]Signatures, error) {
	var out []Signatures
	for _, r := range p.registries.requiredFor(ref, insecure) {
		policy, err := r.Signatures()
		if err != nil {
			return nil, err
		}
		out = append(out, policy)
	}
	if own != nil {
		out = append(out, *own)
	}
	return out, nil
}

// requiredFor returns the policies of the operator for a reference.
func (r Registries) requiredFor(ref Reference, insecure bool) (out []Required) {
	policed := r.policed(ref, insecure)
	for _, required := range r.Required {
		prefix := withoutPort(required.Prefix)
		if slices.ContainsFunc(policed, func(name string) bool { _, ok := below(name, prefix); return ok }) {
			out = append(out, required)
		}
	}
	return out
}

// policed returns the names whose policies apply to a reference: its own, those of its mirrors, as artifacts come from
// there, and if it names a mirror, what that is a mirror of. None has a default port. Neither HTTP nor HTTPS is told
// from the other: a plugin chooses that, and must not choose its policy.
func (r Registries) policed(ref Reference, insecure bool) []string {
	var out []string
	for _, p := range r.places(ref, insecure) {
		out = append(out, withoutPort(p.name()))
	}
	own := withoutPort(ref.Name())
	for _, m := range r.Mirrors {
		target := withoutPort(strings.TrimPrefix(m.Target, "http://"))
		rest, ok := below(own, target)
		if !ok {
			continue
		}
		out = append(out, withoutPort(m.Prefix+rest))
		// If the target is only a registry, a prefix can be the whole name.
		if _, whole, _ := strings.Cut(m.Prefix, "/"); !strings.Contains(target, "/") && whole == ref.Repository {
			out = append(out, withoutPort(m.Prefix))
		}
	}
	return out
}

// withoutPort returns a name, or the beginning of one, without the default port of HTTPS or HTTP.
func withoutPort(name string) string {
	at, repository, several := strings.Cut(name, "/")
	for _, port := range []string{portHTTP, portHTTPS} {
		at = strings.TrimSuffix(at, ":"+port)
	}
	if several {
		at += "/" + repository
	}
	return at
}

// verify checks that the resolved manifest has the required signatures, and records it. It returns the last signer,
// which is the one of the plugin's own policy if it has one.
func (p *puller) verify(ctx context.Context, j job, s *session, d ocispec.Descriptor) (signer string, err error) {
	for _, required := range j.signatures {
		if signer = s.scope.signer(d.Digest, required.ID); signer != "" {
			continue
		}
		if s.repository == nil {
			return "", errUnverified
		}
		by, err := signature.Verify(ctx, signaturePlaces(s), d, j.reference.String(), required.Policy)
		if err != nil {
			return "", err
		}
		signer = by.String()
		s.scope.verified(d.Digest, required.ID, signer)
	}
	return signer, nil
}

// errUnverified means that a signature was not verified by the policy yet.
var errUnverified = errors.New("its signature was not verified")

// signatureRepository is one place of the repository of a session as package signature reads it. What it reads is not kept:
// it is small, and needed once.
type signatureRepository struct {
	session *session
	// place is the index of the mirror or the repository.
	place int
}

// signaturePlaces returns the mirrors and, as the last one, the repository. A mirror that does not have signatures says
// nothing about the repository: many mirrors have only the artifact, and no API for referrers.
func signaturePlaces(s *session) []signature.Repository {
	var out []signature.Repository
	for i := range s.repository.remotes {
		out = append(out, signatureRepository{s, i})
	}
	return out
}

// Resolve implements signature.Repository.
func (r signatureRepository) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	d, err := r.session.repository.only(r.place).resolve(ctx, tag)
	return d, notFound(err)
}

// Read implements signature.Repository.
func (r signatureRepository) Read(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
	if err := checkSize(d, limit); err != nil {
		return nil, err
	}
	out, err := r.session.repository.read(ctx, d)
	return out, notFound(err)
}

// Referrers implements signature.Repository.
func (r signatureRepository) Referrers(ctx context.Context, subject ocispec.Descriptor, most int) ([]ocispec.Descriptor, error) {
	out, err := r.session.repository.only(r.place).referrers(ctx, subject, most)
	return out, notFound(err)
}

// notFound converts the error for what does not exist.
func notFound(err error) error {
	if errors.Is(err, errdef.ErrNotFound) {
		return errors.Join(signature.ErrNotFound, err)
	}
	return err
}

// referrers returns at most the given number of descriptors that refer to a manifest.
func (r *repository) referrers(ctx context.Context, subject ocispec.Descriptor, most int) (out []ocispec.Descriptor, err error) {
	err = r.try(ctx, func(ctx context.Context, from *remote.Repository) error {
		ctx, cancel := context.WithTimeout(ctx, r.timeouts.metadata)
		defer cancel()
		out = nil
		err := from.Referrers(ctx, subject, "", func(page []ocispec.Descriptor) error {
			out = append(out, page[:min(len(page), most-len(out))]...)
			if len(out) == most {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	})
	return out, err
}

// errEnough ends the listing of referrers.
var errEnough = errors.New("there are enough")
