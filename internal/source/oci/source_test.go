// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"
	"oras.land/oras-go/v2/content"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/oci/blobs"
	"github.com/k1s-io/k1s/internal/source/oci/dockerconfig"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/registry"
)

const maxBytes = 1 << 20

var testingTime = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// wasm returns a module that contains a text.
func wasm(text string) []byte { return append([]byte("\x00asm\x01\x00\x00\x00"), text...) }

// operator is a Source with its cache.
type operator struct {
	*Source

	dir string
	end func()
}

// newOperator starts a Source with a cache directory.
func newOperator(t *testing.T, dir string, change ...func(*Options)) *operator {
	t.Helper()
	cache, err := blobs.Open(dir, func() {})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Registries: Registries{Dial: (&net.Dialer{}).DialContext}, Cache: cache, MaxBytes: maxBytes, Clock: clock.RealClock{}}
	for _, f := range change {
		f(&o)
	}
	s := New(o)
	return &operator{Source: s, dir: dir, end: testenv.Background(t, s.Start)}
}

// request returns a request of a plugin in a namespace.
func request(namespace, reference string, change ...func(*Request)) Request {
	r := Request{Plugin: types.NamespacedName{Namespace: namespace, Name: "plugin"}, Source: pluginsv1alpha1.OCISource{Reference: reference, Insecure: true}}
	for _, f := range change {
		f(&r)
	}
	return r
}

// as adds a pull secret.
func as(registry, user string) func(*Request) {
	return func(r *Request) {
		name, password, _ := strings.Cut(user, ":")
		text, _ := json.Marshal(map[string]any{"auths": map[string]any{registry: map[string]string{"username": name, "password": password}}})
		ring, err := dockerconfig.Parse(map[string][]byte{".dockerconfigjson": text})
		if err != nil {
			panic(err)
		}
		r.Keyring = dockerconfig.Join(r.Keyring, ring)
	}
}

// expect fetches until there is a module, and checks that it is the wanted one.
func (o *operator) expect(t *testing.T, r Request, want []byte) Result {
	t.Helper()
	var got Result
	testenv.Eventually(t, "the module is pulled", func(ctx context.Context) (err error) {
		if got, err = o.Fetch(ctx, r); err == nil && !bytes.Equal(got.Module.Bytes, want) {
			err = fmt.Errorf("got the module %q, want %q", got.Module.Bytes, want)
		}
		return err
	})
	return got
}

// reject fetches until the request fails for another reason than that the pull has not ended.
func (o *operator) reject(t *testing.T, r Request, reason string, parts ...string) {
	t.Helper()
	testenv.Eventually(t, "the pull fails with "+reason, func(ctx context.Context) error {
		_, err := o.Fetch(ctx, r)
		var load *plugin.LoadError
		switch {
		case !errors.As(err, &load):
			return fmt.Errorf("got %w", err)
		case load.Reason != reason:
			return fmt.Errorf("got %s: %w", load.Reason, err)
		}
		for _, part := range parts {
			if !strings.Contains(err.Error(), part) {
				t.Fatalf("got %q, which does not contain %q", err, part)
			}
		}
		return nil
	})
}

// forge returns the address of a registry whose repository "mine" has a manifest with a layer that it does not have. It
// claims to have all blobs, and another manifest with the tag "claimed", unless that is nil, but sends neither.
func forge(t *testing.T, layer []byte, claimed *ocispec.Descriptor) string {
	t.Helper()
	manifest, err := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: ocispec.DescriptorEmptyJSON,
		Layers: []ocispec.Descriptor{content.NewDescriptorFromBytes("application/wasm", layer)},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case claimed == nil || r.Method != http.MethodHead:
		case strings.HasPrefix(r.URL.Path, "/v2/mine/blobs/"):
			w.Header().Set("Content-Length", strconv.Itoa(len(layer)))
			return
		case r.URL.Path == "/v2/mine/manifests/claimed", r.URL.Path == "/v2/mine/manifests/"+claimed.Digest.String():
			w.Header().Set("Content-Type", claimed.MediaType)
			w.Header().Set("Content-Length", strconv.FormatInt(claimed.Size, 10))
			w.Header().Set("Docker-Content-Digest", claimed.Digest.String())
			return
		}
		if r.URL.Path != "/v2/mine/manifests/v1" && r.URL.Path != "/v2/mine/manifests/"+digest.FromBytes(manifest).String() {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
		w.Header().Set("Content-Length", strconv.Itoa(len(manifest)))
		w.Header().Set("Docker-Content-Digest", digest.FromBytes(manifest).String())
		_, _ = w.Write(manifest) // the client is gone
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestSource(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"distribution", "go-containerregistry"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			server := registry.Start(t, registry.Options{Kind: kind})
			module := wasm("one")
			pushed := server.Push(t, "plugins/one", "v1", module)
			o := newOperator(t, t.TempDir())
			name := server.Address + "/plugins/one"
			for i, reference := range []string{name + ":v1", name + "@" + pushed.String(), name + ":v1@" + pushed.String()} {
				got := o.expect(t, request(fmt.Sprint("n", i), reference), module)
				if got.Digest != pushed || got.Format == "" || got.ResolvedAt.IsZero() || (got.Pull.Bytes > 0) != (i == 0) {
					t.Errorf("%s: got %+v", reference, got.Artifact)
				}
			}
			other := server.Push(t, "plugins/one", "v2", wasm("two"))
			o.reject(t, request("a", name+":v1@"+other.String()), pluginsv1alpha1.ReasonDigestMismatch, pushed.String(), other.String())
			o.reject(t, request("b", name+":v3"), pluginsv1alpha1.ReasonArtifactNotFound, "v3", "check the repository and the tag")
			o.reject(t, request("c", server.Address+"/plugins/none:v1"), pluginsv1alpha1.ReasonArtifactNotFound)
		})
	}
}

// TestSource_permission shows that the cache does not give a namespace what the registry would not give it.
func TestSource_permission(t *testing.T) {
	t.Parallel()
	const user = "ada:secret"
	private := registry.Start(t, registry.Options{User: user})
	module := wasm("private")
	private.Push(t, "plugins/one", "v1", module)
	o := newOperator(t, t.TempDir())
	reference := private.Address + "/plugins/one:v1"
	o.expect(t, request("friend", reference, as(private.Address, user)), module)
	o.reject(t, request("stranger", reference), pluginsv1alpha1.ReasonUnauthorized, "pullSecrets")
	o.reject(t, request("guesser", reference, as(private.Address, "ada:guess")), pluginsv1alpha1.ReasonUnauthorized, "check their user")
	o.reject(t, request("elsewhere", reference, as("other.example", user)), pluginsv1alpha1.ReasonUnauthorized, "add a Secret with credentials for it")
	o.expect(t, request("several", reference, as(private.Address, "ada:guess"), as(private.Address+"/plugins", user)), module)

	t.Log("a manifest elsewhere that refers to the private layer")
	o.reject(t, request("forger", forge(t, module, nil)+"/mine:v1"), pluginsv1alpha1.ReasonArtifactNotFound)

	t.Log("a registry of the tenant's own, which claims to have it")
	manifest, err := private.Repository(t, "plugins/one").Resolve(t.Context(), "v1")
	if err != nil {
		t.Fatal(err)
	}
	liar := forge(t, module, &manifest)
	o.reject(t, request("liar", liar+"/mine:v1"), pluginsv1alpha1.ReasonArtifactNotFound, "read layer")
	o.reject(t, request("liar", liar+"/mine:claimed"), pluginsv1alpha1.ReasonArtifactNotFound, "read manifest")
}

// TestSource_outage shows that a copy in the cache is used while the registry is down, also after a restart, but only by
// those who pulled it.
func TestSource_outage(t *testing.T) {
	t.Parallel()
	server := registry.Start(t, registry.Options{})
	module := wasm("one")
	server.Push(t, "one", "latest", module)
	dir := t.TempDir()
	o := newOperator(t, dir)
	r := request("n", server.Address+"/one") // the tag latest, which is polled
	o.expect(t, r, module)
	server.Kill()
	o.end()
	o = newOperator(t, dir)
	o.expect(t, r, module)
	testenv.Eventually(t, "the failure is reported", func(ctx context.Context) error {
		got, err := o.Fetch(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		if got.Failure == nil || got.Again == 0 {
			return fmt.Errorf("got %+v", got)
		}
		return nil
	})
	o.reject(t, request("other", server.Address+"/one"), pluginsv1alpha1.ReasonRegistryUnavailable, "has no copy")
	o.end()
	without := newOperator(t, t.TempDir())
	without.reject(t, r, pluginsv1alpha1.ReasonRegistryUnavailable, "the operator's cache (--cache-dir) has no copy of it")
}

// TestSource_corrupt shows that a copy that was changed is not used.
func TestSource_corrupt(t *testing.T) {
	t.Parallel()
	server := registry.Start(t, registry.Options{})
	module := wasm("one")
	server.Push(t, "one", "v1", module)
	dir := t.TempDir()
	r := request("n", server.Address+"/one:v1")
	for _, sub := range []string{"oci-blobs-1", "oci-records-1"} {
		o := newOperator(t, dir)
		o.expect(t, r, module)
		o.end()
		files, err := filepath.Glob(filepath.Join(dir, sub, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", sub, files, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			content[len(content)-1] ^= 1
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		again := newOperator(t, dir)
		if _, err := again.Fetch(t.Context(), r); err == nil {
			t.Errorf("%s: what was changed is used", sub)
		}
		again.expect(t, r, module)
		again.end()
	}
}

// TestSource_poll shows that a tag is resolved again, and that only a new digest is pulled.
func TestSource_poll(t *testing.T) {
	t.Parallel()
	server := registry.Start(t, registry.Options{})
	server.Push(t, "one", "latest", wasm("one"))
	server.Push(t, "one", "v1", wasm("one"))
	now := testingclock.NewFakePassiveClock(testingTime)
	o := newOperator(t, t.TempDir(), func(o *Options) { o.Clock = now })
	polled := request("polled", server.Address+"/one:latest")
	pinned := request("pinned", server.Address+"/one:v1")
	first := o.expect(t, polled, wasm("one"))
	o.expect(t, pinned, wasm("one"))
	if first.Again < defaultPoll || first.Again > defaultPoll*11/10+1 {
		t.Errorf("it is polled after %s", first.Again)
	}
	server.Push(t, "one", "latest", wasm("two"))
	server.Push(t, "one", "v1", wasm("two"))
	o.expect(t, polled, wasm("one"))
	now.SetTime(testingTime.Add(2 * defaultPoll))
	o.expect(t, polled, wasm("two"))
	now.SetTime(testingTime.Add(2 * provenFor))
	testenv.Eventually(t, "the permission is proven again", func(ctx context.Context) error {
		got, err := o.Fetch(ctx, pinned)
		if err == nil && got.provenAt.Equal(testingTime) {
			err = errors.New("it is not")
		}
		return err
	})
	if got := o.expect(t, pinned, wasm("one")); !got.ResolvedAt.Equal(testingTime) || !got.PolledAt.IsZero() {
		t.Errorf("the tag was resolved at %s and polled at %s, but only the permission was proven", got.ResolvedAt, got.PolledAt)
	}
}

// TestSource_pollInterval shows that a tag is not polled more often than every ten seconds: each poll reads the module.
func TestSource_pollInterval(t *testing.T) {
	t.Parallel()
	o := newOperator(t, t.TempDir())
	seconds := func(n int32) *int32 { return &n }
	tag, digested := Reference{Tag: "v1"}, Reference{Tag: "v1", Digest: digest.FromString("x")}
	for name, tc := range map[string]struct {
		source pluginsv1alpha1.OCISource
		ref    Reference
		want   time.Duration
	}{
		"default":         {pluginsv1alpha1.OCISource{}, tag, 0},
		"Always":          {pluginsv1alpha1.OCISource{PullPolicy: pluginsv1alpha1.PullAlways}, tag, defaultPoll},
		"Always and 0":    {pluginsv1alpha1.OCISource{PullPolicy: pluginsv1alpha1.PullAlways, PollIntervalSeconds: seconds(0)}, tag, 0},
		"a second":        {pluginsv1alpha1.OCISource{PollIntervalSeconds: seconds(1)}, tag, leastPoll},
		"a minute":        {pluginsv1alpha1.OCISource{PollIntervalSeconds: seconds(60)}, tag, time.Minute},
		"with a digest":   {pluginsv1alpha1.OCISource{PollIntervalSeconds: seconds(60)}, digested, 0},
		"0, IfNotPresent": {pluginsv1alpha1.OCISource{PollIntervalSeconds: seconds(0)}, tag, 0},
	} {
		if got := o.pollInterval(tc.source, tc.ref); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}
