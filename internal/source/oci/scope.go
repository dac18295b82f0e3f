// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/k1s-io/k1s/internal/source/oci/blobs"
)

// maxRecorded limits the digests and the tags of a scope. Each version of an artifact has about three digests.
const maxRecorded = 1024

// maxPolicies limits the policies by which one digest was verified.
const maxPolicies = 64

// scope records what the registry, or its mirrors, have let a namespace read from one repository with one credential. The cache is shared
// by all namespaces, so that content is downloaded once, but each namespace has to be allowed to read it.
type scope struct {
	// name is unique for namespace, repository, credential and those of the mirrors.
	name  string
	cache *blobs.Dir

	mu     sync.Mutex
	record record
}

// record is how a scope is stored.
type record struct {
	// Tags are the descriptors of tags when they were last resolved.
	Tags map[string]resolved `json:"tags,omitempty"`
	// Digests are when the registry was last asked for a digest, and gave it.
	Digests map[digest.Digest]time.Time `json:"digests,omitempty"`
	// Signers are who has signed a digest, by the ID of the policy that it was verified by.
	Signers map[digest.Digest]map[string]string `json:"signers,omitempty"`
	// Pulls are the last pulls of artifacts that downloaded something.
	Pulls map[digest.Digest]Pull `json:"pulls,omitempty"`
}

// resolved is the descriptor of a tag or a digest, when the registry gave it, and when it last let the namespace read it.
type resolved struct {
	Descriptor ocispec.Descriptor `json:"descriptor"`
	At         time.Time          `json:"at"`
	ProvenAt   time.Time          `json:"provenAt"`
}

// openScope returns the scope with a name as it was stored, or an empty one.
func openScope(cache *blobs.Dir, name string) *scope {
	s := &scope{name: name, cache: cache}
	if text, err := cache.Record(name); err == nil {
		_ = json.Unmarshal(text, &s.record) // a record in another format counts as none
	}
	if s.record.Tags == nil {
		s.record.Tags = map[string]resolved{}
	}
	if s.record.Digests == nil {
		s.record.Digests = map[digest.Digest]time.Time{}
	}
	if s.record.Signers == nil {
		s.record.Signers = map[digest.Digest]map[string]string{}
	}
	if s.record.Pulls == nil {
		s.record.Pulls = map[digest.Digest]Pull{}
	}
	return s
}

// pulled returns the last pull of an artifact that downloaded something, or the zero value.
func (s *scope) pulled(d digest.Digest) Pull {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record.Pulls[d]
}

// downloaded records a pull that downloaded something of an artifact.
func (s *scope) downloaded(d digest.Digest, p Pull) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.record.Pulls) >= maxRecorded {
		clear(s.record.Pulls)
	}
	s.record.Pulls[d] = p
}

// signer returns who has signed a digest, by the policy with an ID. It is empty if that was not verified.
func (s *scope) signer(d digest.Digest, policy string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record.Signers[d][policy]
}

// verified records who has signed a digest.
func (s *scope) verified(d digest.Digest, policy, signer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.record.Signers) >= maxRecorded {
		clear(s.record.Signers)
	}
	if s.record.Signers[d] == nil || len(s.record.Signers[d]) >= maxPolicies {
		s.record.Signers[d] = map[string]string{}
	}
	s.record.Signers[d][policy] = signer
}

// resolved returns what a tag or a digest was resolved to.
func (s *scope) resolved(reference string) (resolved, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.record.Tags[reference]
	return r, ok
}

// resolve records what a tag or a digest is resolved to.
func (s *scope) resolve(reference string, to resolved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.record.Tags) >= maxRecorded {
		clear(s.record.Tags)
	}
	s.record.Tags[reference] = to
}

// mayRead reports whether the registry has given the namespace a digest.
func (s *scope) mayRead(d digest.Digest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.record.Digests[d]
	return ok
}

// allow records that the registry has given the namespace a digest.
func (s *scope) allow(d digest.Digest, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.record.Digests) >= maxRecorded {
		clear(s.record.Digests)
	}
	s.record.Digests[d] = now
}

// revoke forgets what the namespace may read, because the registry does not accept the credential any more.
func (s *scope) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.record.Tags)
	clear(s.record.Digests)
	clear(s.record.Signers)
}

// store stores the scope.
func (s *scope) store() error {
	s.mu.Lock()
	text, err := json.Marshal(s.record)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.cache.KeepRecord(s.name, text)
}
