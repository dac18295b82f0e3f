// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http/httpproxy"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv/registry/faults"
)

// forwardProxy is an HTTP proxy with a user and a password, which knows the hosts *.test: each is the same registry.
type forwardProxy struct {
	*httptest.Server

	target string

	mu    sync.Mutex
	asked []string // METHOD host:port
}

func newForwardProxy(t *testing.T, target string) *forwardProxy {
	t.Helper()
	p := &forwardProxy{target: target}
	p.Server = httptest.NewServer(p)
	p.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(p.Close)
	return p
}

// ServeHTTP implements http.Handler.
func (p *forwardProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host)
	p.mu.Unlock()
	if r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("ada:secret")) {
		w.Header().Set("Proxy-Authenticate", "Basic")
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	if r.Method != http.MethodConnect {
		httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: p.target}).ServeHTTP(w, r)
		return
	}
	to, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", p.target)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer to.Close()
	w.WriteHeader(http.StatusOK)
	from, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer from.Close()
	go func() {
		_, _ = io.Copy(to, buffered) // until either side closes
		_ = to.Close()
	}()
	_, _ = io.Copy(from, to)
}

// saw reports whether the proxy was asked for a host with CONNECT, or with other methods.
func (p *forwardProxy) saw(host string, tunneled bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, asked := range p.asked {
		if method, at, _ := strings.Cut(asked, " "); at == host && (method == http.MethodConnect) == tunneled {
			return true
		}
	}
	return false
}

// url is that of the proxy with a password.
func (p *forwardProxy) url(password string) string {
	return strings.Replace(p.URL, "http://", "http://ada:"+password+"@", 1)
}

// proxyRig is a rig behind a proxy, where only direct.test can be reached without it. It serves TLS if it has a CA.
func proxyRig(t *testing.T, ca *ca, change func(*Options, *forwardProxy)) (*rig, *forwardProxy) {
	t.Helper()
	var ro rigOptions
	if ca != nil {
		ro.serve = func(s *httptest.Server) { s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.leaf}} }
	}
	r := newRig(t, ro)
	p := newForwardProxy(t, r.proxy.Address())
	r.end()
	ro.options = func(o *Options) {
		o.Registries.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			switch address {
			case "direct.test:5000":
				address = r.proxy.Address()
			case p.Listener.Addr().String():
			default:
				return nil, ErrAddress
			}
			return dial(ctx, network, address)
		}
		o.Registries.Proxy = (&httpproxy.Config{HTTPProxy: p.url("secret"), HTTPSProxy: p.url("secret"), NoProxy: "direct.test"}).ProxyFunc()
		if change != nil {
			change(o, p)
		}
	}
	r.start(t, ro, t.TempDir())
	return r, p
}

// TestSource_proxy pulls through a proxy, by HTTPS and plain HTTP, and without it from a host that NO_PROXY has.
func TestSource_proxy(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"HTTPS": true, "HTTP": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var trusted *ca
			bundle := []byte(nil)
			if secure {
				made := newCA(t, "*.test", time.Now().Add(time.Hour))
				trusted, bundle = &made, made.bundle
			}
			r, p := proxyRig(t, trusted, nil)
			pull := func(namespace, host string) Request {
				return request(namespace, host+"/one:v1", func(r *Request) { r.Source.Insecure, r.CABundle = !secure, bundle })
			}
			r.expect(t, pull("a", "registry.test:5000"), r.module)
			if !p.saw("registry.test:5000", secure) || p.saw("registry.test:5000", !secure) {
				t.Errorf("the proxy was asked for %v", p.asked)
			}
			r.expect(t, pull("b", "direct.test:5000"), r.module)
			if p.saw("direct.test:5000", secure) {
				t.Error("the proxy was asked for a host that NO_PROXY has")
			}
		})
	}
}

// TestSource_proxyAddress shows that a proxy is not asked for denied addresses, whether a reference or a redirect names
// them, and that the address of the proxy is checked too.
func TestSource_proxyAddress(t *testing.T) {
	t.Parallel()
	r, p := proxyRig(t, nil, func(o *Options, _ *forwardProxy) {
		o.Registries.Check = func(_ context.Context, host string) error {
			if host == "169.254.169.254" || host == "denied.test" {
				return ErrAddress
			}
			return nil
		}
	})
	for i, host := range []string{"169.254.169.254", "denied.test:5000"} {
		r.reject(t, request(fmt.Sprint("a", i), host+"/one:v1"), pluginsv1alpha1.ReasonRegistryNotAllowed, "does not connect to")
	}
	r.proxy.Set(faults.On("GET", "/blobs/", func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		faults.Status(http.StatusTemporaryRedirect, "Location", "http://denied.test:5000"+req.URL.Path)(w, req, next)
	}))
	r.reject(t, request("b", "registry.test:5000/one:v1"), pluginsv1alpha1.ReasonRegistryNotAllowed, "does not connect to")
	if p.saw("169.254.169.254", false) || p.saw("denied.test:5000", false) {
		t.Errorf("the proxy was asked for %v", p.asked)
	}

	other, p := proxyRig(t, nil, func(o *Options, _ *forwardProxy) {
		o.Registries.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, ErrAddress }
	})
	other.reject(t, request("c", "registry.test:5000/one:v1"), pluginsv1alpha1.ReasonRegistryUnavailable, "proxy "+p.Listener.Addr().String(), "--allowed-registry-cidrs")
}

// TestSource_proxyFails shows that the message names a proxy that fails, and never its password.
func TestSource_proxyFails(t *testing.T) {
	t.Parallel()
	const password = "hunter2-and-more"
	for name, secure := range map[string]bool{"HTTPS": true, "HTTP": false} {
		for fault, down := range map[string]bool{"down": true, "wrong password": false} {
			t.Run(name+" "+fault, func(t *testing.T) {
				t.Parallel()
				r, p := proxyRig(t, nil, func(o *Options, p *forwardProxy) {
					o.Registries.Proxy = (&httpproxy.Config{HTTPProxy: p.url(password), HTTPSProxy: p.url(password)}).ProxyFunc()
					if down {
						p.Close()
					}
				})
				req := request("n", "registry.test:5000/one:v1", func(r *Request) { r.Source.Insecure = !secure })
				want := "407 Proxy Authentication Required"
				if down {
					want = "dial tcp"
				}
				r.reject(t, req, pluginsv1alpha1.ReasonRegistryUnavailable, "the operator's proxy "+p.Listener.Addr().String(), want)
				_, err := r.Fetch(t.Context(), req)
				if text := fmt.Sprint(err); strings.Contains(text, password) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte("ada:"+password))) {
					t.Errorf("got %q", text)
				}
			})
		}
	}
}
