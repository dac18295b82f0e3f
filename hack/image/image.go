// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// parseTag accepts names with a tag and without a digest: the digest of an image file is computed and cannot be chosen.
func parseTag(s string) (name.Tag, error) {
	tag, err := name.NewTag(s)
	if err == nil && !strings.HasSuffix(s, ":"+tag.TagStr()) {
		err = fmt.Errorf("image name %q has no tag", s)
	}
	return tag, err
}

func parsePlatform(s string) (*v1.Platform, error) {
	platform, err := v1.ParsePlatform(s)
	if err == nil && (platform.OS == "" || platform.Architecture == "") {
		err = fmt.Errorf("platform %q is not of the form os/architecture[/variant]", s)
	}
	return platform, err
}

// newImage returns an image that runs a program of the root folder. Its only layer is not compressed.
func newImage(platform *v1.Platform, program string, layer []byte) (v1.Image, error) {
	created := v1.Time{Time: time.Unix(0, 0).UTC()}
	base, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), &v1.ConfigFile{
		OS: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant,
		Created: created,
		RootFS:  v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User:       fmt.Sprintf("%d:%d", nonroot, nonroot),
			Entrypoint: []string{"/" + program},
			WorkingDir: "/",
		},
	})
	if err != nil {
		return nil, err
	}
	return mutate.Append(mutate.ConfigMediaType(base, types.OCIConfigJSON), mutate.Addendum{
		Layer: static.NewLayer(layer, types.OCIUncompressedLayer), History: v1.History{Created: created},
	})
}

// writeImage writes the image layout, with Docker's manifest.json beside index.json. go-containerregistry has writers
// for each of the two, but none for both in one file, nor for a layout that is not a directory.
func writeImage(w io.Writer, tag name.Tag, platform *v1.Platform, image v1.Image, layer []byte) error {
	manifest, err := image.RawManifest()
	if err != nil {
		return err
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return err
	}
	index, err := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{
		Platform: platform,
		Annotations: map[string]string{
			// containerd uses the first annotation as the name of the image, all other tools use the second.
			"io.containerd.image.name":          fullName(tag),
			"org.opencontainers.image.ref.name": tag.TagStr(),
		},
	}}).RawManifest()
	if err != nil {
		return err
	}
	// The same blobs, in the format of "docker save".
	docker, err := json.Marshal(tarball.Manifest{{
		Config: blobPath(config), RepoTags: []string{tag.String()}, Layers: []string{blobPath(layer)},
	}})
	if err != nil {
		return err
	}
	return writeTar(w, []entry{
		{name: "oci-layout", mode: 0o644, content: []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{name: "index.json", mode: 0o644, content: index},
		{name: "manifest.json", mode: 0o644, content: docker},
		{name: "blobs/", mode: 0o755},
		{name: "blobs/sha256/", mode: 0o755},
		{name: blobPath(manifest), mode: 0o644, content: manifest},
		{name: blobPath(config), mode: 0o644, content: config},
		{name: blobPath(layer), mode: 0o644, content: layer},
	})
}

// fullName returns the name of an image as the kubelet looks it up, where Docker Hub is docker.io.
func fullName(tag name.Tag) string {
	return strings.Replace(tag.Name(), name.DefaultRegistry+"/", "docker.io/", 1)
}

func blobPath(blob []byte) string { return fmt.Sprintf("blobs/sha256/%x", sha256.Sum256(blob)) }
