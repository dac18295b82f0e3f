// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"k8s.io/utils/clock"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/oci/artifact"
	"github.com/k1s-io/k1s/internal/source/oci/blobs"
	"github.com/k1s-io/k1s/internal/source/oci/dockerconfig"
)

// puller pulls artifacts. It is safe for concurrent use.
type puller struct {
	registries Registries
	cache      *blobs.Dir
	pulls      *pulls
	maxBytes   int64
	clock      clock.PassiveClock
}

// job is what one plugin wants to have pulled.
type job struct {
	namespace string
	reference Reference
	// follow is whether the tag is resolved again although the cache has what it was resolved to before.
	follow bool
	access access
	// mirrors are those of the reference's repository.
	mirrors []place
	// signatures are the policies that the artifact has to meet, all of them.
	signatures []Signatures
}

// Artifact is a module that was pulled, or found in the cache.
type Artifact struct {
	// Digest is that of the manifest or index that the reference is resolved to.
	Digest digest.Digest
	// Format is the format of the artifact.
	Format artifact.Format
	// Signer is who has signed it. It is empty if no signature is required.
	Signer string
	// Pull is the last pull of the digest for the namespace that downloaded something. It is zero if the cache had
	// everything.
	Pull Pull
	// ResolvedAt is when the registry last gave the digest for the reference.
	ResolvedAt time.Time
	// provenAt is when the registry last let the namespace read the digest.
	provenAt time.Time
}

// Pull is what it took to download an artifact.
type Pull struct {
	// At is when it ended.
	At time.Time `json:"at"`
	// Took is how long it took, without the time in the queue.
	Took time.Duration `json:"took"`
	// Bytes were downloaded.
	Bytes int64 `json:"bytes"`
}

// credentials returns the credentials to try, and how many there are.
func (j job) credentials() ([]dockerconfig.Credential, int) {
	own := place{registry: j.reference.Registry, repository: j.reference.Repository, plainHTTP: j.access.insecure}
	found := own.credentials(j.access.keyring)
	if len(found) == 0 {
		return []dockerconfig.Credential{{}}, 0
	}
	return found, len(found)
}

// scopeName is unique for a namespace, a repository, a credential and those for its mirrors: whoever is let in by a mirror
// gives no access to others in the namespace. It does not reveal the credentials.
func (j job) scopeName(c dockerconfig.Credential) string {
	parts := []string{j.namespace, j.reference.Name(), fmt.Sprint(j.access.insecure), c.Username, c.Password, c.IdentityToken, c.RegistryToken}
	for _, m := range j.mirrors {
		for _, c := range m.credentials(j.access.keyring) {
			parts = append(parts, m.name(), fmt.Sprint(m.plainHTTP), c.Username, c.Password, c.IdentityToken, c.RegistryToken)
		}
	}
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// key is what the result of resolving the reference is recorded by. A tag with a digest has one of its own: what the tag
// alone is resolved to changes.
func (j job) key() string {
	switch ref := j.reference; {
	case ref.Tag != "" && ref.Digest != "":
		return ref.Tag + "@" + ref.Digest.String()
	case ref.Tag != "":
		return ref.Tag
	default:
		return ref.Digest.String()
	}
}

// cached returns the module without a request, if the namespace pulled it before and the cache still has it. Then it pins
// it for its owner. Otherwise it returns blobs.ErrMissing or errUnverified.
func (p *puller) cached(ctx context.Context, owner blobs.Owner, j job) (plugin.Module, Artifact, error) {
	credentials, _ := j.credentials()
	missing := blobs.ErrMissing
	for _, c := range credentials {
		s := openScope(p.cache, j.scopeName(c))
		r, ok := s.resolved(j.key())
		if !ok {
			continue
		}
		account := &account{}
		module, a, err := p.find(ctx, j, &session{cache: p.cache, scope: s, clock: p.clock, account: account}, r, artifact.Find)
		if err == nil {
			a.Pull = s.pulled(a.Digest)
			p.cache.Pin(owner, s.name, account.read)
		}
		switch {
		case errors.Is(err, errUnverified):
			missing = errUnverified
		case !errors.Is(err, blobs.ErrMissing):
			return module, a, err
		}
	}
	return plugin.Module{}, Artifact{}, missing
}

// pull resolves the reference and pulls what the cache does not have, which it pins. It tries each credential until one
// is let in. The account is that of all of them, also if the pull fails.
func (p *puller) pull(ctx context.Context, owner blobs.Owner, j job) (*account, error) {
	credentials, n := j.credentials()
	total := &account{}
	var failed *plugin.LoadError
	for _, c := range credentials {
		a := &account{}
		err := p.pullAs(ctx, owner, j, c, a)
		total.bytes, total.hits = total.bytes+a.bytes, total.hits+a.hits
		if err == nil {
			return total, nil
		}
		if failed = problemOf(err, j.reference, n, j.access.keyring); failed.Reason != pluginsv1alpha1.ReasonUnauthorized {
			break
		}
	}
	return total, failed
}

func (p *puller) pullAs(ctx context.Context, owner blobs.Owner, j job, c dockerconfig.Credential, account *account) error {
	start := p.clock.Now()
	r, err := p.registries.open(j.reference, j.access, c)
	if err != nil {
		return err
	}
	defer r.close()
	s := openScope(p.cache, j.scopeName(c))
	to, err := p.resolve(ctx, j, s, r)
	if err != nil {
		if problemOf(err, j.reference, 1, j.access.keyring).Reason == pluginsv1alpha1.ReasonUnauthorized {
			s.revoke()
			err = errors.Join(err, s.store())
		}
		return err
	}
	from := &session{
		cache: p.cache, scope: s, pulls: p.pulls, clock: p.clock, account: account, owner: owner, repository: r,
		namespace: j.namespace, registry: j.access.origin(j.reference.Registry), place: j.access.origin(j.reference.Name()),
	}
	_, a, err := p.find(ctx, j, from, to, artifact.Locate)
	from.close()
	if err != nil {
		return err
	}
	if account.bytes > 0 {
		s.downloaded(a.Digest, Pull{At: p.clock.Now(), Took: p.clock.Since(start), Bytes: account.bytes})
	}
	if err := s.store(); err != nil {
		return unwritable(err)
	}
	if slices.ContainsFunc(account.read, func(d digest.Digest) bool { return !p.cache.Has(d) }) {
		return plugin.Reject(pluginsv1alpha1.ReasonSourceUnavailable,
			"%s was pulled, but is larger than what the operator's cache keeps: ask the administrator to raise the operator's flag --max-cache-bytes", j.reference)
	}
	return nil
}

// resolve asks the registry for the descriptor of the reference, or only whether it still lets the namespace read what
// the reference was resolved to.
func (p *puller) resolve(ctx context.Context, j job, s *scope, r *repository) (resolved, error) {
	if known, ok := s.resolved(j.key()); ok && !j.follow && p.has(known.Descriptor.Digest) {
		if err := r.exists(ctx, known.Descriptor); err != nil {
			return resolved{}, err
		}
		known.ProvenAt = p.clock.Now()
		s.resolve(j.key(), known)
		return known, nil
	}
	d, err := r.resolve(ctx, cmp.Or(j.reference.Tag, j.reference.Digest.String()))
	if err != nil {
		return resolved{}, err
	}
	if j.reference.Digest != "" && d.Digest != j.reference.Digest {
		return resolved{}, plugin.Reject(pluginsv1alpha1.ReasonDigestMismatch,
			"the tag %q of %s has the digest %s, but spec.source.oci.reference pins %s: change the tag in the registry back, or change the reference",
			j.reference.Tag, j.reference.Name(), d.Digest, j.reference.Digest)
	}
	now := p.clock.Now()
	found := resolved{Descriptor: d, At: now, ProvenAt: now}
	s.resolve(j.key(), found)
	return found, nil
}

func (p *puller) has(d digest.Digest) bool {
	_, err := p.cache.Blob(d)
	return err == nil
}

// finder is artifact.Find or artifact.Locate.
type finder func(context.Context, artifact.Reader, ocispec.Descriptor, int64) (artifact.Found, error)

// find verifies the signatures of a resolved reference, and finds its module.
func (p *puller) find(ctx context.Context, j job, s *session, r resolved, find finder) (plugin.Module, Artifact, error) {
	signer, err := p.verify(ctx, j, s, r.Descriptor)
	if err != nil {
		return plugin.Module{}, Artifact{}, err
	}
	found, err := find(ctx, s, r.Descriptor, p.maxBytes)
	if err != nil {
		return plugin.Module{}, Artifact{}, err
	}
	found.Module.Origin = "artifact " + j.reference.String()
	return found.Module, Artifact{Digest: r.Descriptor.Digest, Format: found.Format, Signer: signer, ResolvedAt: r.At, provenAt: r.ProvenAt}, nil
}
