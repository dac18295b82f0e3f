// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/oci/dockerconfig"
	"github.com/k1s-io/k1s/internal/source/oci/signature"
	"github.com/k1s-io/k1s/internal/text"
)

// ErrAddress means that the operator does not connect to an address. Registries.Dial and Registries.Check return it.
var ErrAddress = errors.New("the operator does not connect to this address")

// maxMessage limits what a registry can add to a message, in bytes.
const maxMessage = 512

// problemOf returns the error of a pull as a *plugin.LoadError with its remedy. credentials is how many credentials the
// plugin has for the registry, and secrets are those that the message must not reveal.
func problemOf(err error, ref Reference, credentials int, secrets dockerconfig.Keyring) *plugin.LoadError {
	if load := (*plugin.LoadError)(nil); errors.As(err, &load) {
		return load
	}
	cause := err
	if incomplete := (*signature.IncompleteError)(nil); errors.As(err, &incomplete) {
		cause = incomplete.Failure // the verdict quotes what others have signed
	}
	if mirror := (mirrorError{}); errors.As(cause, &mirror) {
		credentials = mirror.credentials
	}
	reason, remedy := explain(cause, credentials)
	return &plugin.LoadError{
		Reason: reason, Message: fmt.Sprintf("%s cannot be pulled: %s", ref, remedy), Err: errors.New(text.Truncate(secrets.Redact(redactURLs(err.Error())), maxMessage)),
	}
}

// The user and the query of a URL grant access if a registry redirects to a storage service. Errors quote URLs, so that
// a query ends with a quotation mark that is not escaped.
var (
	queries = regexp.MustCompile(`\?(\\.|[^"\\])*`)
	users   = regexp.MustCompile(`://[^/\s"]*@`)
)

func redactURLs(text string) string {
	return users.ReplaceAllString(queries.ReplaceAllString(text, ""), "://")
}

// unwritable returns the error of a cache that cannot be written.
func unwritable(err error) error {
	return &plugin.LoadError{
		Reason: pluginsv1alpha1.ReasonSourceUnavailable, Message: "the operator's cache of artifacts (--cache-dir) cannot be written; the operator retries", Err: err,
	}
}

// errDiffers means that a registry sent something else than it should.
var errDiffers = errors.New("content differs from its descriptor")

// differing are parts of errors without a type: those of headers that contradict a descriptor.
var differing = []string{"digest mismatch in Docker-Content-Digest", "mismatch Content-Length", "mismatch response Content-Type"}

func differs(err error) bool {
	return errors.Is(err, errDiffers) || errors.Is(err, content.ErrMismatchedDigest) || errors.Is(err, content.ErrTrailingData) || errors.Is(err, io.ErrUnexpectedEOF) ||
		slices.ContainsFunc(differing, func(part string) bool { return strings.Contains(err.Error(), part) })
}

// explain returns the reason of an error, and what to do.
func explain(err error, credentials int) (reason, remedy string) {
	var response *errcode.ErrorResponse
	status := 0
	if errors.As(err, &response) {
		status = response.StatusCode
		if response.Method == http.MethodPost && status == http.StatusBadRequest { // an identity token that is not valid (RFC 6749, section 5.2)
			status = http.StatusUnauthorized
		}
	}
	var broken brokenError
	var slow slowError
	var proxy proxyError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &proxy):
		return pluginsv1alpha1.ReasonRegistryUnavailable, proxy.remedy()
	case errors.Is(err, auth.ErrBasicCredentialNotFound), credentials == 0 && (status == http.StatusUnauthorized || status == http.StatusForbidden):
		return pluginsv1alpha1.ReasonUnauthorized, "the registry requires credentials: add a Secret with credentials for it to spec.source.oci.pullSecrets"
	case strings.Contains(err.Error(), "missing username or password"):
		return pluginsv1alpha1.ReasonUnauthorized, "the registry requires a user and a password, which the credentials of the pull secrets do not have: add them"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return pluginsv1alpha1.ReasonUnauthorized, "the registry does not let the credentials of the pull secrets read it: check their user and its permissions"
	case errors.Is(err, errdef.ErrNotFound): // a 404 with an ErrorResponse is that of a token server
		remedy = "the registry does not have it: check the repository and the tag"
		if credentials == 0 {
			remedy += ", and whether it needs a pull secret"
		}
		return pluginsv1alpha1.ReasonArtifactNotFound, remedy
	case errors.Is(err, ErrAddress):
		return pluginsv1alpha1.ReasonRegistryNotAllowed, "its address is one that the operator does not connect to"
	case differs(err):
		return pluginsv1alpha1.ReasonArtifactCorrupt, "the registry sent something else than its digest and size describe; the operator retries"
	case errors.As(err, &authority):
		return pluginsv1alpha1.ReasonRegistryUnavailable, "the CA of its certificate is not trusted: put the CA certificate into a ConfigMap and name it in spec.source.oci.caBundle"
	case errors.As(err, &name), errors.As(err, &invalid):
		return pluginsv1alpha1.ReasonRegistryUnavailable, "its certificate is not valid for it"
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return pluginsv1alpha1.ReasonRegistryUnavailable, "it serves plain HTTP: set spec.source.oci.insecure if you accept that"
	case status == http.StatusTooManyRequests:
		return pluginsv1alpha1.ReasonRegistryUnavailable, "the registry limits the rate of requests; the operator retries later"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, errLate):
		return pluginsv1alpha1.ReasonRegistryUnavailable, "the registry does not answer in time; the operator retries"
	case errors.As(err, &slow):
		return pluginsv1alpha1.ReasonRegistryUnavailable, "the registry sends too slowly; the operator retries"
	case errors.As(err, &broken):
		return pluginsv1alpha1.ReasonRegistryUnavailable, "the connection to the registry broke; the operator retries"
	default:
		return pluginsv1alpha1.ReasonRegistryUnavailable, "the registry cannot be reached, or failed; the operator retries"
	}
}

// isTransient reports whether an error says nothing about the artifact or the permission to pull it.
func isTransient(err *plugin.LoadError) bool {
	return err.Reason == pluginsv1alpha1.ReasonRegistryUnavailable || err.Reason == pluginsv1alpha1.ReasonArtifactCorrupt
}
