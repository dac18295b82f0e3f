// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Key signs artifacts.
type Key struct{ private *ecdsa.PrivateKey }

// NewKey returns a new key, as `cosign generate-key-pair` makes it.
func NewKey(t *testing.T) Key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Key{private}
}

// Public returns the public key in PEM, as in cosign.pub.
func (k Key) Public(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&k.private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Signer signs payloads.
type Signer interface {
	// Sign returns the annotations with the signature of a payload.
	Sign(t testing.TB, payload []byte) map[string]string
}

// Sign implements Signer.
func (k Key) Sign(t testing.TB, payload []byte) map[string]string {
	t.Helper()
	sum := sha256.Sum256(payload)
	signature, err := ecdsa.SignASN1(rand.Reader, k.private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"dev.cosignproject.cosign/signature": base64.StdEncoding.EncodeToString(signature)}
}

// Sign signs an artifact, and stores the signature as `cosign sign` of cosign 2 does.
func (s *Server) Sign(t *testing.T, repository string, artifact digest.Digest, by Signer) {
	t.Helper()
	layer, payload := s.signature(t, repository, artifact, by)
	s.PushLayers(t, repository, "sha256-"+artifact.Encoded()+".sig", layer, payload)
}

// Refer signs an artifact, and stores the signature in a manifest that refers to it.
func (s *Server) Refer(t *testing.T, repository string, artifact digest.Digest, by Signer) {
	t.Helper()
	r := s.Repository(t, repository)
	subject, err := r.Resolve(t.Context(), artifact.String())
	if err != nil {
		t.Fatal(err)
	}
	layer, payload := s.signature(t, repository, artifact, by)
	layer.Digest, layer.Size = digest.FromBytes(payload), int64(len(payload))
	put(t, r, layer, payload)
	put(t, r, ocispec.DescriptorEmptyJSON, ocispec.DescriptorEmptyJSON.Data)
	manifest := encode(t, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, ArtifactType: "application/vnd.dev.cosign.artifact.sig.v1+json",
		Config: ocispec.DescriptorEmptyJSON, Layers: []ocispec.Descriptor{layer}, Subject: &subject,
	})
	s.PushManifest(t, repository, digest.FromBytes(manifest).String(), ocispec.MediaTypeImageManifest, manifest)
}

// signature returns the payload of a signature of an artifact with its descriptor.
func (s *Server) signature(t *testing.T, repository string, artifact digest.Digest, by Signer) (layer ocispec.Descriptor, payload []byte) {
	t.Helper()
	payload = fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":%q},"image":{"docker-manifest-digest":%q},"type":"cosign container image signature"},"optional":null}`,
		s.Address+"/"+repository, artifact)
	return ocispec.Descriptor{MediaType: "application/vnd.dev.cosign.simplesigning.v1+json", Annotations: by.Sign(t, payload)}, payload
}
