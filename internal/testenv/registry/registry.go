// SPDX-License-Identifier: Apache-2.0

// Package registry runs real container registries for tests, each in a process of its own that a test can kill, and
// pushes artifacts to them.
package registry

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/k1s-io/k1s/internal/testenv"
)

// Options configure a registry.
type Options struct {
	// Kind is "distribution", which is the default, or "go-containerregistry".
	Kind string
	// User is USER:PASSWORD without which every request is unauthorized. Empty lets everybody in.
	User string
	// Certificate and Key are files in PEM. Empty means plain HTTP.
	Certificate, Key string
}

// Server is a registry.
type Server struct {
	// Address is its host and port.
	Address string

	options Options
	dir     string

	mu sync.Mutex // held while it is started or killed
	// command is nil while it does not run.
	command *exec.Cmd
}

// program builds the registry's program once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "k1s-registry-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "registry")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = filepath.Join(testenv.Root(), "test", "registry")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	build.Stderr = os.Stderr
	return path, build.Run()
})

// Start starts a registry, which ends with the test.
func Start(t *testing.T, o Options) *Server {
	t.Helper()
	if o.Kind == "" {
		o.Kind = "distribution"
	}
	s := &Server{options: o, dir: t.TempDir(), Address: testenv.FreeAddress(t)}
	s.Run(t)
	t.Cleanup(s.Kill)
	return s
}

// Run starts the registry again after Kill, at the same address, with the content that it had if it is distribution's.
func (s *Server) Run(t *testing.T) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatalf("build the registry: %v", err)
	}
	o := s.options
	s.mu.Lock()
	defer s.mu.Unlock()
	s.command = exec.Command(path, "--address", s.Address, "--kind", o.Kind, "--dir", s.dir, "--user", o.User,
		"--tls-certificate", o.Certificate, "--tls-key", o.Key)
	s.command.Stderr = os.Stderr
	out, err := s.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.command.Start(); err != nil {
		t.Fatalf("start the registry: %v", err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the registry did not start: %v", err)
	}
}

// Kill kills the registry, as in a crash. It can be called again.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.command == nil {
		return
	}
	_ = s.command.Process.Kill() // it may have ended
	_ = s.command.Wait()
	s.command = nil
}

// Repository returns a client for a repository that may push and delete.
func (s *Server) Repository(t *testing.T, name string) *remote.Repository {
	t.Helper()
	r, err := remote.NewRepository(s.Address + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	user, password, _ := strings.Cut(s.options.User, ":")
	r.PlainHTTP = s.options.Certificate == ""
	r.Client = &auth.Client{Credential: auth.StaticCredential(s.Address, auth.Credential{Username: user, Password: password})}
	return r
}

// Push pushes an artifact with one layer, as `oras push` does it, and returns the digest of its manifest.
func (s *Server) Push(t *testing.T, repository, tag string, module []byte) digest.Digest {
	t.Helper()
	return s.PushLayers(t, repository, tag, ocispec.Descriptor{MediaType: "application/wasm"}, module)
}

// PushLayers pushes an artifact with layers that have the media type and the annotations of a descriptor.
func (s *Server) PushLayers(t *testing.T, repository, tag string, like ocispec.Descriptor, layers ...[]byte) digest.Digest {
	t.Helper()
	r := s.Repository(t, repository)
	manifest := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: ocispec.DescriptorEmptyJSON}
	manifest.Config.MediaType = ocispec.MediaTypeEmptyJSON
	put(t, r, manifest.Config, ocispec.DescriptorEmptyJSON.Data)
	for _, layer := range layers {
		d := content.NewDescriptorFromBytes(like.MediaType, layer)
		d.Annotations = like.Annotations
		put(t, r, d, layer)
		manifest.Layers = append(manifest.Layers, d)
	}
	manifest.Config.Data = nil
	return s.PushManifest(t, repository, tag, ocispec.MediaTypeImageManifest, encode(t, manifest))
}

// PushManifest pushes a manifest under a tag.
func (s *Server) PushManifest(t *testing.T, repository, tag, mediaType string, manifest []byte) digest.Digest {
	t.Helper()
	d, err := oras.TagBytes(t.Context(), s.Repository(t, repository), mediaType, manifest, tag)
	if err != nil {
		t.Fatalf("push %s:%s: %v", repository, tag, err)
	}
	return d.Digest
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func put(t *testing.T, r *remote.Repository, d ocispec.Descriptor, content []byte) {
	t.Helper()
	if found, err := r.Blobs().Exists(t.Context(), d); err == nil && found {
		return
	}
	if err := r.Blobs().Push(context.WithoutCancel(t.Context()), d, strings.NewReader(string(content))); err != nil {
		t.Fatalf("push %s: %v", d.Digest, err)
	}
}
