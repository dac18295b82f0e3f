// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// maxErrorBytes limits the part of an error of a registry that is read.
const maxErrorBytes = 8 << 10

// incomplete are parts of errors without a type: those of responses to HEAD without the headers that GET does not need.
var incomplete = []string{"missing required header", "unknown response Content-Length", "invalid response `Content-Type` header"}

// isAboutHEAD reports whether an error can be that of a registry, or a proxy before it, which does not support HEAD, or
// not well. Then a GET decides. An error of a token server is not one.
func isAboutHEAD(err error) bool {
	var all attempts
	if errors.As(err, &all) { // one of them decides
		err = all.Unwrap()
	}
	var response *errcode.ErrorResponse
	switch {
	case err == nil:
		return false
	case errors.As(err, &response):
		return response.Method == http.MethodHead && slices.Contains([]int{
			http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented,
		}, response.StatusCode)
	default:
		return errors.Is(err, errdef.ErrNotFound) || slices.ContainsFunc(incomplete, func(part string) bool { return strings.Contains(err.Error(), part) })
	}
}

// getManifest returns the descriptor of a tag or a digest by reading the manifest.
func getManifest(ctx context.Context, from *remote.Repository, reference string) (ocispec.Descriptor, error) {
	ref := from.Reference
	ref.Reference = reference
	scheme := "https"
	if from.PlainHTTP {
		scheme = "http"
	}
	url := fmt.Sprintf("%s://%s/v2/%s/manifests/%s", scheme, ref.Host(), ref.Repository, reference)
	req, err := http.NewRequestWithContext(auth.AppendRepositoryScope(ctx, ref, auth.ActionPull), http.MethodGet, url, nil)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	req.Header.Set("Accept", strings.Join(manifestTypes(), ", "))
	resp, err := from.Client.Do(req)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return ocispec.Descriptor{}, fmt.Errorf("%s: %w", ref, errdef.ErrNotFound)
	default:
		return ocispec.Descriptor{}, errorOf(resp)
	}
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxMetadata+1))
	switch {
	case err != nil:
		return ocispec.Descriptor{}, cmp.Or(ctx.Err(), error(brokenError{err}))
	case len(content) > maxMetadata:
		return ocispec.Descriptor{}, plugin.Reject(pluginsv1alpha1.ReasonInvalidManifest, "the manifest of %s has more than the %d bytes that the operator accepts", ref, maxMetadata)
	}
	return describe(resp.Header, reference, content)
}

// describe returns the descriptor of a manifest that was read by a tag or a digest, whose digest it verifies.
func describe(header http.Header, reference string, content []byte) (ocispec.Descriptor, error) {
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
	if err != nil || !isManifest(d) {
		return ocispec.Descriptor{}, fmt.Errorf("the registry sent no manifest, but the Content-Type %q", header.Get("Content-Type"))
	}
	for _, want := range []string{header.Get("Docker-Content-Digest"), reference} {
		if parsed, err := digest.Parse(want); err == nil && parsed.Algorithm() == digest.SHA256 && parsed != d.Digest {
			return ocispec.Descriptor{}, fmt.Errorf("%w: the manifest has the digest %s, not %s", errDiffers, d.Digest, parsed)
		}
	}
	return d, nil
}

// errorOf returns the error of a response.
func errorOf(resp *http.Response) error {
	out := &errcode.ErrorResponse{Method: resp.Request.Method, URL: resp.Request.URL, StatusCode: resp.StatusCode}
	var body struct {
		Errors errcode.Errors `json:"errors"`
	}
	if json.NewDecoder(io.LimitReader(resp.Body, maxErrorBytes)).Decode(&body) == nil {
		out.Errors = body.Errors
	}
	return out
}
