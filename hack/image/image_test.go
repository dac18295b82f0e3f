// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// TestRun_reproducible fails if anything depends on the clock, the file system or the order of a map.
func TestRun_reproducible(t *testing.T) {
	t.Parallel()
	var digests, sums []string
	for range 2 {
		dir := t.TempDir()
		digest, output := pack(t, dir, []byte("a binary"))
		content, err := os.ReadFile(output)
		must(t, err)
		digests, sums = append(digests, digest), append(sums, sha(content))
	}
	if digests[0] != digests[1] || sums[0] != sums[1] {
		t.Errorf("two runs differ: manifests %q, files %q", digests, sums)
	}
	if other, _ := pack(t, t.TempDir(), []byte("another binary")); other == digests[0] {
		t.Error("another binary has the same digest")
	}
}

// TestRun_layout reads the image in both ways: through the OCI index, and through Docker's manifest.json.
func TestRun_layout(t *testing.T) {
	t.Parallel()
	digest, output := pack(t, t.TempDir(), []byte("a binary"))
	file, err := os.Open(output)
	must(t, err)
	defer file.Close()
	files := readTar(t, file)
	for path, e := range files {
		if name, ok := cutBlob(path); ok && e.header.Typeflag == tar.TypeReg && sha(e.content) != name {
			t.Errorf("blob %s has the digest %s", name, sha(e.content))
		}
	}

	var idx v1.IndexManifest
	var man v1.Manifest
	var conf v1.ConfigFile
	decode(t, files["index.json"].content, &idx)
	if len(idx.Manifests) != 1 || idx.Manifests[0].Digest.String() != digest {
		t.Fatalf("index.json = %+v, want the manifest %s alone", idx, digest)
	}
	if got := idx.Manifests[0].Annotations["io.containerd.image.name"]; got != "ghcr.io/k1s-io/k1s:test" {
		t.Errorf("image name = %q", got)
	}
	decode(t, files[descriptorPath(idx.Manifests[0])].content, &man)
	decode(t, files[descriptorPath(man.Config)].content, &conf)
	if conf.Config.User != "65532:65532" || conf.Architecture != "arm64" || conf.Variant != "v8" {
		t.Errorf("configuration = %+v, want user 65532:65532 on arm64/v8", conf)
	}
	if conf.RootFS.DiffIDs[0] != man.Layers[0].Digest {
		t.Errorf("diff ID = %s, layer = %s; equal for an uncompressed layer", conf.RootFS.DiffIDs[0], man.Layers[0].Digest)
	}

	var docker []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	decode(t, files["manifest.json"].content, &docker)
	if docker[0].Config != descriptorPath(man.Config) || docker[0].Layers[0] != descriptorPath(man.Layers[0]) ||
		docker[0].RepoTags[0] != "ghcr.io/k1s-io/k1s:test" {
		t.Errorf("manifest.json = %+v, want the blobs of the OCI manifest", docker)
	}
}

func TestFullName(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"k1s:a":                      "docker.io/library/k1s:a",
		"k1s-io/k1s:a":               "docker.io/k1s-io/k1s:a",
		"docker.io/k1s-io/k1s:a":     "docker.io/k1s-io/k1s:a",
		"ghcr.io/k1s-io/k1s:a":       "ghcr.io/k1s-io/k1s:a",
		"localhost:5000/k1s:a":       "localhost:5000/k1s:a",
		"registry.example/a/b/k1s:a": "registry.example/a/b/k1s:a",
	} {
		tag, err := parseTag(ref)
		must(t, err)
		if got := fullName(tag); got != want {
			t.Errorf("full name of %s = %s, want %s", ref, got, want)
		}
	}
}

func TestRun_badInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	binary := filepath.Join(dir, "manager")
	must(t, os.WriteFile(binary, []byte("a binary"), 0o755))
	for _, tc := range []struct{ name, ref, platform, certificates, binary string }{
		{name: "a name without a tag", ref: "k1s", platform: "linux/amd64", binary: binary},
		{name: "a registry with a port, and no tag", ref: "localhost:5000/k1s", platform: "linux/amd64", binary: binary},
		{name: "a name with a digest", ref: "k1s:a@sha256:00", platform: "linux/amd64", binary: binary},
		{name: "half a platform", ref: "k1s:a", platform: "linux", binary: binary},
		{name: "no binary", ref: "k1s:a", platform: "linux/amd64", binary: binary + "x"},
		{name: "no certificates", ref: "k1s:a", platform: "linux/amd64", binary: binary, certificates: binary + "x"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			output := filepath.Join(t.TempDir(), "image.tar")
			if _, err := run(output, tc.ref, tc.platform, tc.certificates, tc.binary); err == nil {
				t.Error("no error")
			}
			if _, err := os.Stat(output); !errors.Is(err, os.ErrNotExist) {
				t.Error("a file was written")
			}
		})
	}
}

// pack runs the command on a binary with the given content.
func pack(t *testing.T, dir string, content []byte) (digest, output string) {
	t.Helper()
	binary := filepath.Join(dir, "manager")
	must(t, os.WriteFile(binary, content, 0o755))
	output = filepath.Join(dir, "image.tar")
	digest, err := run(output, "ghcr.io/k1s-io/k1s:test", "linux/arm64/v8", "", binary)
	must(t, err)
	return digest, output
}

type tarFile struct {
	header  *tar.Header
	content []byte
}

func readTar(t *testing.T, r io.Reader) map[string]tarFile {
	t.Helper()
	files := map[string]tarFile{}
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		must(t, err)
		content, err := io.ReadAll(archive)
		must(t, err)
		files[header.Name] = tarFile{header, content}
	}
}

func descriptorPath(d v1.Descriptor) string { return "blobs/sha256/" + d.Digest.Hex }

func cutBlob(path string) (string, bool) {
	return strings.CutPrefix(path, "blobs/sha256/")
}

func decode(t *testing.T, document []byte, into any) {
	t.Helper()
	must(t, json.Unmarshal(document, into))
}

func sha(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
