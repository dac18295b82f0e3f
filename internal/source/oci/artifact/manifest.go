// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// document is a manifest or an index of OCI or Docker.
type document struct {
	SchemaVersion int                `json:"schemaVersion"`
	MediaType     string             `json:"mediaType"`
	Config        ocispec.Descriptor `json:"config"`
	Layers        descriptors        `json:"layers"`
	Manifests     descriptors        `json:"manifests"`
	Annotations   map[string]string  `json:"annotations"`
	// FSLayers is the list of layers in schema 1.
	FSLayers json.RawMessage `json:"fsLayers"`
}

// descriptors is a list of at most maxDescriptors. It is nil if the document does not have it.
type descriptors []ocispec.Descriptor

// UnmarshalJSON implements json.Unmarshaler. It stops at the maximum: in memory, a list of empty descriptors is dozens
// of times larger than its text.
func (d *descriptors) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if start, err := dec.Token(); err != nil || start != json.Delim('[') {
		return fmt.Errorf("the list of layers or manifests is not an array: %.20q", text)
	}
	*d = descriptors{}
	for dec.More() {
		if len(*d) == maxDescriptors {
			return fmt.Errorf("it has more than %d layers or manifests", maxDescriptors)
		}
		var item ocispec.Descriptor
		if err := dec.Decode(&item); err != nil {
			return err
		}
		*d = append(*d, item)
	}
	return nil
}

const pushAgain = "push the artifact again with a current version of its tool"

// parse parses and checks a manifest or an index. The media type of the descriptor counts if the document has none.
func parse(text []byte, d ocispec.Descriptor) (*document, error) {
	var m document
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, &plugin.LoadError{
			Reason: pluginsv1alpha1.ReasonInvalidManifest, Err: err,
			Message: fmt.Sprintf("the artifact's manifest %s cannot be read: %s", short(d.Digest), pushAgain),
		}
	}
	mediaType := cmp.Or(m.MediaType, d.MediaType)
	problem := ""
	switch {
	case m.SchemaVersion == 1 || m.FSLayers != nil || mediaType == typeDockerSchema1 || mediaType == typeDockerSigned1:
		problem = "is a Docker manifest of schema 1, which is not supported"
	case m.SchemaVersion != 2:
		problem = fmt.Sprintf("has the schemaVersion %d, not 2", m.SchemaVersion)
	case m.Layers != nil && m.Manifests != nil:
		problem = "has both layers and manifests, which is ambiguous"
	case isManifest(mediaType) && m.Manifests != nil, isIndex(mediaType) && m.Layers != nil:
		problem = fmt.Sprintf("does not have the content of its media type %s", quote(mediaType))
	case mediaType != "" && !isManifest(mediaType) && !isIndex(mediaType):
		problem = fmt.Sprintf("has the media type %s, which is not that of a manifest or index of OCI or Docker", quote(mediaType))
	case mediaType == "" && m.Layers == nil && m.Manifests == nil:
		problem = "has neither layers nor manifests"
	default:
		return &m, m.checkDescriptors()
	}
	return nil, plugin.Reject(pluginsv1alpha1.ReasonInvalidManifest, "the artifact's manifest %s %s: %s", short(d.Digest), problem, pushAgain)
}

// checkDescriptors rejects descriptors that cannot be read.
func (m *document) checkDescriptors() error {
	for _, list := range []descriptors{m.Layers, m.Manifests} {
		for _, d := range list {
			if err := checkDescriptor(d); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkDescriptor(d ocispec.Descriptor) error {
	err := d.Digest.Validate()
	if err == nil && d.Size < 0 {
		err = fmt.Errorf("size %d", d.Size)
	}
	if err == nil {
		return nil
	}
	return plugin.Reject(pluginsv1alpha1.ReasonInvalidManifest,
		"the artifact's manifest has an invalid descriptor (digest %s: %v): %s", quote(string(d.Digest)), err, pushAgain)
}

func isManifest(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageManifest || mediaType == typeDockerManifest
}

func isIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == typeDockerList
}
