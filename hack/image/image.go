// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
)

// The media types of the OCI image specification, version 1.1.
const (
	mediaTypeIndex    = "application/vnd.oci.image.index.v1+json"
	mediaTypeManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaTypeConfig   = "application/vnd.oci.image.config.v1+json"
	mediaTypeLayer    = "application/vnd.oci.image.layer.v1.tar"
)

// descriptor refers to a blob by its digest.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// index and manifest are the two documents that lead from an image's name to its blobs.
type (
	index struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Manifests     []descriptor `json:"manifests"`
	}
	manifest struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Config        descriptor   `json:"config"`
		Layers        []descriptor `json:"layers"`
	}
)

// config is the image configuration: the process and its user.
type config struct {
	platform

	Created string    `json:"created"`
	Config  runConfig `json:"config"`
	RootFS  rootFS    `json:"rootfs"`
}

type runConfig struct {
	User       string   `json:"User"`
	Entrypoint []string `json:"Entrypoint"`
	WorkingDir string   `json:"WorkingDir"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

// image is an image that is ready to be written.
type image struct {
	ref      ref
	manifest descriptor
	config   descriptor
	layer    descriptor
	blobs    map[string][]byte // by digest
}

// newImage creates the documents of an image with one layer.
func newImage(r ref, p platform, layer []byte) (image, error) {
	img := image{ref: r, blobs: map[string][]byte{}}
	img.layer = img.add(mediaTypeLayer, layer)

	configJSON, err := json.Marshal(config{
		platform: p,
		Created:  "1970-01-01T00:00:00Z",
		Config: runConfig{
			User:       fmt.Sprintf("%d:%d", nonroot, nonroot),
			Entrypoint: []string{"/manager"},
			WorkingDir: "/",
		},
		// The layer is not compressed, so its digest is also the digest of its content.
		RootFS: rootFS{Type: "layers", DiffIDs: []string{img.layer.Digest}},
	})
	if err != nil {
		return image{}, fmt.Errorf("encode the image configuration: %w", err)
	}
	img.config = img.add(mediaTypeConfig, configJSON)

	manifestJSON, err := json.Marshal(manifest{
		SchemaVersion: 2, MediaType: mediaTypeManifest,
		Config: img.config, Layers: []descriptor{img.layer},
	})
	if err != nil {
		return image{}, fmt.Errorf("encode the image manifest: %w", err)
	}
	img.manifest = img.add(mediaTypeManifest, manifestJSON)
	img.manifest.Platform = &p
	img.manifest.Annotations = map[string]string{
		// containerd uses the first annotation as the name of the image, all other tools use the second.
		"io.containerd.image.name":          r.name,
		"org.opencontainers.image.ref.name": r.tag,
	}
	return img, nil
}

func (i *image) add(mediaType string, blob []byte) descriptor {
	sum := sha256.Sum256(blob)
	d := descriptor{MediaType: mediaType, Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: len(blob)}
	i.blobs[d.Digest] = blob
	return d
}

// write writes the image layout, with Docker's manifest.json beside index.json.
func (i *image) write(w io.Writer) error {
	indexJSON, err := json.Marshal(index{SchemaVersion: 2, MediaType: mediaTypeIndex, Manifests: []descriptor{i.manifest}})
	if err != nil {
		return err
	}
	// The same blobs, in the format of "docker save".
	dockerJSON, err := json.Marshal([]map[string]any{{
		"Config":   blobPath(i.config),
		"RepoTags": []string{i.ref.name},
		"Layers":   []string{blobPath(i.layer)},
	}})
	if err != nil {
		return err
	}
	entries := []entry{
		{name: "oci-layout", mode: 0o644, content: []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{name: "index.json", mode: 0o644, content: indexJSON},
		{name: "manifest.json", mode: 0o644, content: dockerJSON},
		{name: "blobs/", mode: 0o755},
		{name: "blobs/sha256/", mode: 0o755},
	}
	for _, d := range []descriptor{i.manifest, i.config, i.layer} {
		entries = append(entries, entry{name: blobPath(d), mode: 0o644, content: i.blobs[d.Digest]})
	}
	return writeTar(w, entries)
}

func blobPath(d descriptor) string {
	return "blobs/sha256/" + d.Digest[len("sha256:"):]
}
