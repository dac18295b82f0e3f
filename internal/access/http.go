// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/access/origin"
	"github.com/k1s-io/k1s/internal/access/rbac"
)

const (
	// resourceHTTP is the resource in the Record of a request that is not for a resource of the API.
	resourceHTTP = "http"

	maxRedirects = 5
	// maxResponseHeaderBytes limits the headers of a response, including those of informational responses (1xx).
	maxResponseHeaderBytes = 64 << 10
	// maxIdleConns and idleConnTimeout limit the idle connections of a plugin. security.maxConcurrentRequests limits
	// those in use.
	maxIdleConns, maxIdleConnsPerHost = 8, 2
	idleConnTimeout                   = 30 * time.Second
)

// transport returns the transport of one plugin. It ignores the operator's proxy environment variables, because a proxy
// would resolve names by itself. It does not change bodies: it neither requests compression on its own, nor
// decompresses.
func (e Egress) transport() *http.Transport {
	if e.Denied == nil {
		e.Denied = DeniedAddresses()
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:            e.Dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: e.RootCAs},
		TLSHandshakeTimeout:    dialTimeout,
		DisableCompression:     true,
		MaxIdleConns:           maxIdleConns,
		MaxIdleConnsPerHost:    maxIdleConnsPerHost,
		IdleConnTimeout:        idleConnTimeout,
		MaxResponseHeaderBytes: maxResponseHeaderBytes,
		Protocols:              protocols,
	}
}

// Close closes the plugin's idle connections.
func (c *RestrictedClient) Close() {
	if c != nil && c.outside != nil {
		c.outside.CloseIdleConnections()
	}
}

// HTTP makes a request to a host that the spec allows. The request is recorded up to a limit, because it costs no
// request to the API server.
func (c *RestrictedClient) HTTP(ctx context.Context, req abi.HTTPRequest) (out []byte, err error) {
	t, err := targetOf(req)
	if err != nil {
		return nil, err
	}
	seen := c.observe(rbac.Action{Verb: t.method, Resource: resourceHTTP})
	seen.host = t.origin.String()
	defer func() { seen.changed(err) }()
	if err := c.sends(t); err != nil {
		return nil, err
	}
	if why := c.Allowlist.deniesHost(t.origin); why != "" {
		return nil, forbiddenHTTP(audit.LayerAllowlist, t.method, t.origin, why)
	}
	return c.limited(func() ([]byte, error) {
		r, err := requestOf(t, req, "k1s-plugin/"+c.Identity.String())
		if err != nil {
			return nil, err
		}
		within, cancel := context.WithTimeout(ctx, timeLimit(req))
		defer cancel()
		response, err := c.exchange(r.WithContext(within), t, &seen)
		if err != nil {
			return nil, httpFailure(ctx, within, err, t.method, seen.host)
		}
		return response.Append(nil)
	})
}

// exchange sends a request, follows its redirects, and reads the response.
func (c *RestrictedClient) exchange(r *http.Request, t target, seen *observation) (abi.HTTPResponse, error) {
	follow := &redirects{allowlist: c.Allowlist, target: t, seen: seen}
	client := http.Client{Transport: c.outside, CheckRedirect: follow.check}
	response, err := client.Do(r)
	if err != nil {
		return abi.HTTPResponse{}, err
	}
	defer response.Body.Close()
	seen.status = response.StatusCode
	if response.StatusCode == http.StatusSwitchingProtocols {
		return abi.HTTPResponse{}, errors.New("it changed the protocol without being asked")
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, abi.MaxHTTPResponseBody+1))
	if err != nil {
		return abi.HTTPResponse{}, err
	}
	if len(body) > abi.MaxHTTPResponseBody {
		return abi.HTTPResponse{}, apierrors.NewRequestEntityTooLargeError(
			fmt.Sprintf("the answer of %q has a body of more than %d bytes", seen.host, abi.MaxHTTPResponseBody))
	}
	out := abi.HTTPResponse{Status: response.StatusCode, Headers: map[string]string{}}
	for name, values := range response.Header {
		separator := ", "
		if name = strings.ToLower(name); name == "set-cookie" { // the one whose values may contain commas
			separator = "\n"
		}
		out.Headers[name] = strings.Join(values, separator)
	}
	out.SetBody(body)
	return out, nil
}

// redirects follows the redirects of one request.
type redirects struct {
	allowlist Allowlist
	target    target
	seen      *observation
	// strayed is whether the request has left its first origin. Headers that were removed then are not added again.
	strayed bool
}

// check decides whether one more redirect is followed: it can lead to every origin that the guest's own requests can go
// to. The dialer checks the address, as for every request.
func (f *redirects) check(r *http.Request, before []*http.Request) error {
	if len(before) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	to, err := origin.Of(r.URL)
	if err != nil {
		return errRedirect
	}
	first := f.target.origin
	f.seen.host = to.String()
	if why := f.allowlist.deniesHost(to); why != "" {
		return forbiddenHTTP(audit.LayerAllowlist, r.Method, to, why+fmt.Sprintf(" (%q redirects to it)", first))
	}
	if first.Scheme != to.Scheme && to.Scheme == "http" {
		return forbiddenHTTP(audit.LayerAllowlist, r.Method, to, fmt.Sprintf("%q redirects to it, from https to http", first))
	}
	r.URL.Host, r.Host = to.HostPort(), to.HostPort()
	f.strayed = f.strayed || to != first
	r.Header.Del("Referer") // it has the query of the previous URL
	if f.strayed {
		for name := range r.Header {
			if !slices.Contains(harmlessHeaders, name) {
				r.Header.Del(name)
			}
		}
	}
	return nil
}

// errRedirect means that the target of a redirect is not valid.
var errRedirect = errors.New("it redirects to something that is not an http or https URL without a user")

// forbiddenHTTP is forbidden for an HTTP request, which has no Action.
func forbiddenHTTP(layer, method string, to origin.Origin, why string) error {
	return &denial{layer: layer, StatusError: &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
		Message: fmt.Sprintf("%s: cannot %s %q: %s", layer, method, to, why),
	}}}
}

// httpFailure returns the error for a request without a response. It does not pass on the errors of net/http, because
// they quote URLs.
func httpFailure(ctx, within context.Context, err error, method, host string) error {
	var denied *denial
	var status *apierrors.StatusError
	var dns *net.DNSError
	var untrusted *tls.CertificateVerificationError
	unavailable := func(why string) error {
		return apierrors.NewServiceUnavailable(fmt.Sprintf("%s %q: %s", method, host, why))
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &denied):
		return denied
	case errors.As(err, &status):
		return status
	case errors.Is(err, ErrAddress):
		return &denial{layer: audit.LayerAddress, StatusError: &apierrors.StatusError{ErrStatus: metav1.Status{
			Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
			Message: fmt.Sprintf("%s: cannot %s %q: it has an address that plugins cannot reach: loopback, link-local, metadata, or one that the operator denies",
				audit.LayerAddress, method, host),
		}}}
	case within.Err() != nil:
		return apierrors.NewTimeoutError(fmt.Sprintf("%s %q: no whole answer in time", method, host), 0)
	case errors.As(err, &dns):
		return unavailable("the name cannot be resolved")
	case errors.As(err, &untrusted):
		return unavailable("its certificate is not trusted: " + untrusted.Err.Error())
	case errors.Is(err, errRedirect):
		return unavailable(errRedirect.Error())
	default:
		return unavailable(connectionProblem(err))
	}
}

// connectionProblem distinguishes the failures of a connection without quoting the error.
func connectionProblem(err error) string {
	var op *net.OpError
	var slow net.Error
	switch {
	case errors.As(err, &op) && op.Op == "dial", errors.As(err, &slow) && slow.Timeout():
		return "cannot connect"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.As(err, &op):
		return "the connection was cut before the answer was whole"
	default:
		return fmt.Sprintf("the answer cannot be read: it is not HTTP/1.1 (over TLS 1.2 or newer for https), has more than %d bytes of headers, or leads to more than %d redirects",
			maxResponseHeaderBytes, maxRedirects)
	}
}
