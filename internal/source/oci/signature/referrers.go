// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	typeCosignSignature = "application/vnd.dev.cosign.artifact.sig.v1+json"
	// annotationPredicate is the predicate type of the statement in a bundle, on the manifest of the bundle.
	annotationPredicate = "dev.sigstore.bundle.predicateType"
)

// signaturesFirst returns the referrers that may be signatures: first those whose type is that of a signature, then those
// whose type is unknown. Registries and clients that predate artifact types leave it empty, or copy the type of the
// config, which says nothing.
func signaturesFirst(all []ocispec.Descriptor) []ocispec.Descriptor {
	var known, unknown []ocispec.Descriptor
	for _, d := range all {
		switch predicate := d.Annotations[annotationPredicate]; {
		case predicate != "" && predicate != predicateSignature:
		case d.ArtifactType == typeCosignSignature, isBundle(d.ArtifactType):
			known = append(known, d)
		case slices.Contains([]string{"", ocispec.MediaTypeEmptyJSON, ocispec.MediaTypeImageConfig}, d.ArtifactType):
			unknown = append(unknown, d)
		}
	}
	return append(known, unknown...)
}
