// SPDX-License-Identifier: Apache-2.0

package access

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/origin"
	"github.com/k1s-io/k1s/internal/text"
)

const (
	// maxURL is in bytes. Servers have about the same limit.
	maxURL = 8 << 10
	// maxRequestHeaders and maxRequestHeaderBytes limit the headers that a guest sends.
	maxRequestHeaders, maxRequestHeaderBytes = abi.MaxHTTPRequestHeaders, 16 << 10
)

// httpMethods are the methods that a guest can use. CONNECT would open a tunnel, and TRACE is of no use.
var httpMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// hostsHeaders are the headers of a connection, or of the framing of a message on it. Only the host sets them.
var hostsHeaders = []string{
	"Host", "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", "Expect",
}

// harmlessHeaders are kept when a redirect leads to another origin. Any other header may be meant for the first origin
// only: it is not possible to tell which headers authenticate.
var harmlessHeaders = []string{"Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "User-Agent"}

// target is the parsed destination of a request, before it is authorized.
type target struct {
	method string
	url    *url.URL
	origin origin.Origin
}

// targetOf returns a request's method and URL. Errors are BadRequest.
func targetOf(req abi.HTTPRequest) (target, error) {
	t := target{method: req.Method}
	if t.method == "" {
		t.method = http.MethodGet
	}
	if !slices.Contains(httpMethods, t.method) {
		return t, apierrors.NewBadRequest(fmt.Sprintf("method %q: want one of %s", text.Truncate(t.method, maxField), strings.Join(httpMethods, ", ")))
	}
	if len(req.URL) > maxURL {
		return t, apierrors.NewBadRequest(fmt.Sprintf("url is longer than %d bytes", maxURL))
	}
	u, err := url.Parse(req.URL)
	if err != nil {
		return t, apierrors.NewBadRequest("url cannot be read") // the error quotes it
	}
	if t.origin, err = origin.Of(u); err != nil {
		return t, apierrors.NewBadRequest("url: " + err.Error())
	}
	u.Host, u.Fragment, u.RawFragment = t.origin.HostPort(), "", ""
	t.url = u
	return t, nil
}

// requestOf returns the HTTP request that a guest asks for. Errors are those of the guest's input.
func requestOf(t target, req abi.HTTPRequest, userAgent string) (*http.Request, error) {
	if req.TimeoutMillis < 0 {
		return nil, apierrors.NewBadRequest("timeoutMillis is negative")
	}
	body, err := req.Content()
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if len(body) > abi.MaxHTTPRequestBody {
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("the body has %d bytes, more than the %d of a request", len(body), abi.MaxHTTPRequestBody))
	}
	headers, err := headersOf(req.Headers)
	if err != nil {
		return nil, err
	}
	if _, ok := headers["User-Agent"]; !ok {
		headers["User-Agent"] = []string{userAgent}
	}
	r, err := http.NewRequest(t.method, t.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, apierrors.NewBadRequest("url cannot be read")
	}
	r.Header = headers
	return r, nil
}

// headersOf validates headers. An invalid one could be read as two headers, or as the end of the headers.
func headersOf(given map[string]string) (http.Header, error) {
	out, size := http.Header{}, 0
	for name, value := range given {
		size += len(name) + len(value)
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return nil, apierrors.NewBadRequest(fmt.Sprintf("%q is not the name of a header", text.Truncate(name, maxField)))
		case !httpguts.ValidHeaderFieldValue(value):
			return nil, apierrors.NewBadRequest(fmt.Sprintf("header %q: its value has a control character", text.Truncate(name, maxField)))
		case slices.Contains(hostsHeaders, canonical):
			return nil, apierrors.NewBadRequest(fmt.Sprintf("header %q is the host's to set", text.Truncate(name, maxField)))
		case out[canonical] != nil:
			return nil, apierrors.NewBadRequest(fmt.Sprintf("header %q is given twice", text.Truncate(name, maxField)))
		}
		out[canonical] = []string{value}
	}
	if len(given) > maxRequestHeaders || size > maxRequestHeaderBytes {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("more than %d headers or %d bytes of them", maxRequestHeaders, maxRequestHeaderBytes))
	}
	return out, nil
}

// timeLimit returns the timeout of a request.
func timeLimit(req abi.HTTPRequest) time.Duration {
	if req.TimeoutMillis == 0 || req.TimeoutMillis > abi.MaxHTTPTimeoutMillis {
		return abi.MaxHTTPTimeoutMillis * time.Millisecond
	}
	return time.Duration(req.TimeoutMillis) * time.Millisecond
}
