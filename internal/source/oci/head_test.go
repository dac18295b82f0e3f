// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/registry/faults"
)

// headless returns a fault that responds to HEAD with a status, whoever asks, and to GET only if the user is ada.
func headless(code int) faults.Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodHead {
			w.WriteHeader(code)
			return
		}
		basic("ada:secret")(w, r, next)
	}
}

// TestSource_rejectedHEAD shows that a registry which rejects HEAD is asked with GET, that the permission is proven by
// the content then, and that it is proven again.
func TestSource_rejectedHEAD(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rigOptions{})
			r.proxy.Set(headless(code))
			ada := as(r.proxy.Address(), "ada:secret")
			reference := r.proxy.Address() + "/one:v1"
			first := r.expect(t, request("first", reference, ada), r.module)
			r.reject(t, request("stranger", reference), pluginsv1alpha1.ReasonUnauthorized, "add a Secret")
			r.reject(t, request("guesser", reference, as(r.proxy.Address(), "ada:guess")), pluginsv1alpha1.ReasonUnauthorized, "check their user")
			r.expect(t, request("second", reference, ada), r.module)
			if n := r.proxy.BlobBytes(); n != 2*int64(len(r.module)) {
				t.Errorf("%d bytes were downloaded for two namespaces, want the module twice", n)
			}
			r.clock.SetTime(r.clock.Now().Add(2 * provenFor))
			testenv.Eventually(t, "the permission is proven again", func(ctx context.Context) error {
				got, err := r.Fetch(ctx, request("first", reference, ada))
				if err == nil && !got.provenAt.After(first.provenAt) {
					err = fmt.Errorf("it is not: %w", got.Failure)
				}
				return err
			})
			r.reject(t, request("first", r.proxy.Address()+"/one:none", ada), pluginsv1alpha1.ReasonArtifactNotFound, "does not have it")
		})
	}
}

// TestSource_incompleteHEAD shows that responses to HEAD need no headers but those that all registries send.
func TestSource_incompleteHEAD(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Docker-Content-Digest", "Content-Length", "Content-Type"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rigOptions{})
			r.proxy.Set(faults.On("HEAD", "/manifests/", faults.Edited(func(h http.Header, body []byte) []byte {
				h[name] = nil // so that the server does not add one
				return body
			})))
			r.expect(t, r.request, r.module)
		})
	}
}

// TestSource_getManifest breaks the responses to GET of a registry that rejects HEAD.
func TestSource_getManifest(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat(" ", 64<<10)
	for name, tc := range map[string]struct {
		get             faults.Fault
		reason, message string
	}{
		"endless": {func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(huge)); err != nil {
					return
				}
			}
		}, pluginsv1alpha1.ReasonInvalidManifest, "more than the 4194304 bytes"},
		"another digest": {faults.Edited(func(h http.Header, body []byte) []byte {
			h.Set("Docker-Content-Digest", digest.FromString("something else").String())
			return body
		}), pluginsv1alpha1.ReasonArtifactCorrupt, "something else than its digest"},
		"page of a login": {faults.Edited(func(h http.Header, body []byte) []byte {
			h.Del("Docker-Content-Digest")
			h.Set("Content-Type", "text/html")
			return body
		}), pluginsv1alpha1.ReasonRegistryUnavailable, `"text/html"`},
		"hangs": {faults.Half(func(r *http.Request) { <-r.Context().Done() }), pluginsv1alpha1.ReasonRegistryUnavailable, "does not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rigOptions{timeouts: timeouts{metadata: 2 * time.Second}})
			r.proxy.Set(func(w http.ResponseWriter, req *http.Request, next http.Handler) {
				if req.Method == http.MethodHead {
					w.WriteHeader(http.StatusMethodNotAllowed)
					return
				}
				faults.On("GET", "/manifests/", tc.get)(w, req, next)
			})
			r.reject(t, r.request, tc.reason, tc.message)
			r.proxy.Set(nil)
			r.recovers(t, r.request)
		})
	}
}

// TestDescribe shows that neither a header nor the digest that was asked for replaces the digest of the content.
func TestDescribe(t *testing.T) {
	t.Parallel()
	content, other := []byte("{}"), digest.FromString("something else").String()
	own := digest.FromBytes(content).String()
	for _, tc := range []struct {
		reference, header string
		differs           bool
	}{
		{"v1", "", false},
		{"v1", own, false},
		{"v1", other, true},
		{own, "", false},
		{other, "", true},
		{other, other, true},
	} {
		header := http.Header{"Content-Type": {ocispec.MediaTypeImageManifest}, "Docker-Content-Digest": {tc.header}}
		got, err := describe(header, tc.reference, content)
		if errors.Is(err, errDiffers) != tc.differs || err == nil && (got.Digest.String() != own || got.Size != int64(len(content))) {
			t.Errorf("%s with the header %q: got %+v, %v", tc.reference, tc.header, got, err)
		}
	}
}

// TestIsAboutHEAD_mirror shows that the repository decides, not its mirrors.
func TestIsAboutHEAD_mirror(t *testing.T) {
	t.Parallel()
	if isAboutHEAD(attempts{failed: []error{errors.New("down"), errors.New("missing required header")}}) {
		t.Error("the error of a mirror decides")
	}
}
