// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"path"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Format is the name of the format of an artifact, for a status. It follows from media types, and is information only.
type Format string

// The formats of artifacts.
const (
	// FormatCNCF is the Wasm OCI artifact of the CNCF, as wkg and Spin push it.
	FormatCNCF Format = "CNCF Wasm"
	// FormatIstio is the variant "oci" of the Wasm image specification, which Istio implements and wasme pushes: a layer of
	// configuration and a layer with the module.
	FormatIstio Format = "Istio"
	// FormatIstioCompat is the variant "compat" of it: a container image with the file plugin.wasm.
	FormatIstioCompat Format = "Istio compat"
	// FormatKubewarden is the format that kwctl and wasm-to-oci push.
	FormatKubewarden Format = "Kubewarden"
	// FormatImage is a container image with the module in a file of another name, or as a layer.
	FormatImage Format = "container image"
	// FormatArtifact is any other artifact, such as one that oras pushes from a file.
	FormatArtifact Format = "OCI artifact"
)

// Media types, besides those of the image specification.
const (
	typeDockerManifest  = "application/vnd.docker.distribution.manifest.v2+json"
	typeDockerList      = "application/vnd.docker.distribution.manifest.list.v2+json"
	typeDockerConfig    = "application/vnd.docker.container.image.v1+json"
	typeDockerSchema1   = "application/vnd.docker.distribution.manifest.v1+json"
	typeDockerSigned1   = "application/vnd.docker.distribution.manifest.v1+prettyjws"
	typeCNCFConfig      = "application/vnd.wasm.config.v0+json"
	typeIstioLayer      = "application/vnd.module.wasm.content.layer.v1+wasm"
	typeKubewardenLayer = "application/vnd.wasm.content.layer.v1+wasm"
)

const (
	// compatKey is the annotation of a manifest of the variant "compat".
	compatKey = "module.wasm.image/variant"
	// compatFile is the name of the file with the module in it.
	compatFile = "plugin.wasm"
)

// formatOf returns the format of the artifact. The file is empty if the layer is the module itself.
func formatOf(m *document, layer ocispec.Descriptor, file string) Format {
	switch {
	case layer.MediaType == typeIstioLayer:
		return FormatIstio
	case layer.MediaType == typeKubewardenLayer:
		return FormatKubewarden
	case m.Config.MediaType == typeCNCFConfig:
		return FormatCNCF
	case file != "" && (path.Base(file) == compatFile || m.Annotations[compatKey] == "compat"):
		return FormatIstioCompat
	case m.isImage():
		return FormatImage
	default:
		return FormatArtifact
	}
}

// isImage reports whether the manifest is one of a container image.
func (m *document) isImage() bool {
	return m.Config.MediaType == ocispec.MediaTypeImageConfig || m.Config.MediaType == typeDockerConfig
}

// isWasm reports whether a media type is one of WebAssembly.
func isWasm(mediaType string) bool { return strings.Contains(mediaType, "wasm") }
