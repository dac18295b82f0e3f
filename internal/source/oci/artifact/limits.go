// SPDX-License-Identifier: Apache-2.0

package artifact

import "math"

const (
	// maxManifestBytes is the maximum size of a manifest or an index: 1 MiB. One with maxDescriptors has less than 100 KiB.
	maxManifestBytes = 1 << 20
	// maxDescriptors is the maximum number of layers of a manifest, and of manifests in an index. Container runtimes mount
	// at most 127 layers, and the largest indexes of base images have some 40 manifests.
	maxDescriptors = 128
	// maxManifests is the maximum number of manifests and indexes that are read in all. An index that does not name the
	// platform of its module has one for each platform of container images, which are about ten.
	maxManifests = 32
	// maxDepth is the maximum number of indexes in each other. Registries and tools that combine indexes of several
	// builds nest them once.
	maxDepth = 2
	// maxLayers is the maximum number of layers that are read in all. An artifact has one or two.
	maxLayers = 128
	// maxFiles is the maximum number of entries of a tar archive. The archive of a plugin has a handful; those of the base
	// images of distributions have some thousands.
	maxFiles = 4096
	// besides is how much more than a module of the maximum size a layer can have: 1 MiB for the headers of an archive and
	// of compression, and for small files next to the module.
	besides = 1 << 20
	// layersInAll is how many layers of the maximum size are downloaded, and uncompressed, in all: one with the module,
	// and as much of others, such as the same module in the manifests of several platforms.
	layersInAll = 2
)

// limits are the remaining allowances of a search.
type limits struct {
	// module and layer are the maximum sizes of a module and of a layer, which holds for stored and for uncompressed bytes.
	module, layer int64
	// download and uncompressed are the bytes that the remaining layers can have in all.
	download, uncompressed int64
	manifests, layers      int
}

// limitsOf returns the limits for modules of at most maxBytes.
func limitsOf(maxBytes int64) limits {
	maxBytes = min(max(maxBytes, 0), math.MaxInt64/layersInAll-besides)
	layer := maxBytes + besides
	return limits{
		module: maxBytes, layer: layer,
		download: layersInAll * layer, uncompressed: layersInAll * layer,
		manifests: maxManifests, layers: maxLayers,
	}
}
