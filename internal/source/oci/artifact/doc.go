// SPDX-License-Identifier: Apache-2.0

// Package artifact implements the search for the WebAssembly module in an OCI artifact or image. It looks at the content
// of the layers: their media types, which tools set as they like, only decide about the order and the name of the format.
//
// The layers of an artifact are searched one after another, those of WebAssembly media types first, and there must be
// exactly one module. A layer is the module itself, or a tar archive of files with the module among them, either
// uncompressed or as gzip or zstd. A container image is searched from its last layer to its first, and only until an
// archive with a module, or with a program for a processor, is found: the layers below are the base image, which can be
// large. Of an index, only the manifests for WebAssembly are searched if there are any, otherwise all of them except for
// attestations. The same module in several places counts once. The config is never read.
//
// The artifact is untrusted. The limits in limits.go are checked against the sizes in the descriptors before anything is
// downloaded, and against the content while it is uncompressed.
package artifact
