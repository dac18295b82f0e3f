// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// proxied makes a transport use the operator's proxy, which Registries.Proxy returns. Dial checks the address of the
// proxy then, and Check the host that the proxy is asked for.
func (r Registries) proxied(t *http.Transport) http.RoundTripper {
	if r.Proxy == nil {
		return t
	}
	t.Proxy = func(req *http.Request) (*url.URL, error) {
		proxy, err := r.Proxy(req.URL)
		if err != nil || proxy == nil || r.Check == nil {
			return proxy, err
		}
		return proxy, r.Check(req.Context(), req.URL.Hostname())
	}
	t.OnProxyConnectResponse = func(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
		if resp.StatusCode != http.StatusOK {
			return proxyError{proxy.Host, errors.New(resp.Status)}
		}
		return nil
	}
	return throughProxy{base: t, proxy: r.Proxy}
}

// throughProxy tells errors of a proxy from those of a registry.
type throughProxy struct {
	base  *http.Transport
	proxy func(*url.URL) (*url.URL, error)
}

// RoundTrip implements http.RoundTripper.
func (p throughProxy) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := p.base.RoundTrip(req)
	proxy, none := p.proxy(req.URL)
	if none != nil || proxy == nil {
		return resp, err
	}
	var op *net.OpError
	switch {
	case err == nil && resp.StatusCode == http.StatusProxyAuthRequired: // of a request that was not tunneled
		_ = resp.Body.Close() // it is not read
		return nil, proxyError{proxy.Host, errors.New(resp.Status)}
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return nil, proxyError{proxy.Host, op.Err}
	}
	return resp, err
}

// proxyError is an error of the operator's proxy, as opposed to one of the registry behind it.
type proxyError struct {
	// host is that of the proxy, without its user.
	host  string
	cause error
}

// Error implements error.
func (e proxyError) Error() string { return fmt.Sprintf("proxy %s: %v", e.host, e.cause) }

// Unwrap returns the cause.
func (e proxyError) Unwrap() error { return e.cause }

// remedy returns what to do.
func (e proxyError) remedy() string {
	if errors.Is(e.cause, ErrAddress) {
		return fmt.Sprintf("the operator's proxy %s has an address that the operator does not connect to: ask the administrator to add it to the operator's flag --allowed-registry-cidrs", e.host)
	}
	return fmt.Sprintf("the operator's proxy %s cannot be reached, or rejects the connection: ask the administrator to check it, and the environment variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the operator", e.host)
}
