// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/registry/faults"
)

// TestSource_deniedAddress shows that the operator connects to no denied address, to which a registry can redirect it.
func TestSource_deniedAddress(t *testing.T) {
	t.Parallel()
	var denied atomic.Value
	denied.Store("")
	r := newRig(t, rigOptions{options: func(o *Options) {
		o.Registries.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == denied.Load() {
				return nil, ErrAddress
			}
			return dial(ctx, network, address)
		}
	}})
	storage := faults.New(t, r.registry.Address)
	denied.Store(storage.Address())
	r.proxy.Set(faults.On("GET", "/blobs/", func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		faults.Status(http.StatusTemporaryRedirect, "Location", storage.URL+req.URL.Path)(w, req, next)
	}))
	r.reject(t, r.request, pluginsv1alpha1.ReasonRegistryNotAllowed, "does not connect to")
	if n := storage.Count("", ""); n != 0 {
		t.Errorf("the denied address got %d requests", n)
	}
	denied.Store("")
	r.recovers(t, r.request)
}

func TestSource_redirectLoop(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	r.proxy.Set(faults.On("GET", "/blobs/", func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		faults.Status(http.StatusTemporaryRedirect, "Location", req.URL.Path)(w, req, next)
	}))
	r.reject(t, r.request, pluginsv1alpha1.ReasonRegistryUnavailable, "stopped after 10 redirects")
	if n := r.proxy.Count("GET", "/blobs/"); n > 10 {
		t.Errorf("got %d requests", n)
	}
	r.proxy.Set(nil)
	r.recovers(t, r.request)
}

// ca is a CA with a certificate that it issued.
type ca struct {
	bundle []byte
	leaf   tls.Certificate
}

// newCA returns a CA with a certificate for a host that ends at a time.
func newCA(t *testing.T, host string, end time.Time) ca {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issue := func(template, parent *x509.Certificate) []byte {
		template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-2*time.Hour), end
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	root := &x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	bundle := issue(root, root)
	leaf := &x509.Certificate{Subject: pkix.Name{CommonName: "leaf"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if ip := net.ParseIP(host); ip != nil {
		leaf.IPAddresses = []net.IP{ip}
	} else {
		leaf.DNSNames = []string{host}
	}
	return ca{
		bundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: bundle}),
		leaf:   tls.Certificate{Certificate: [][]byte{issue(leaf, root)}, PrivateKey: key},
	}
}

func TestSource_certificates(t *testing.T) {
	t.Parallel()
	const unavailable = pluginsv1alpha1.ReasonRegistryUnavailable
	first, second := newCA(t, "127.0.0.1", time.Now().Add(time.Hour)), newCA(t, "127.0.0.1", time.Now().Add(time.Hour))
	foreign, expired := newCA(t, "registry.example", time.Now().Add(time.Hour)), newCA(t, "127.0.0.1", time.Now().Add(-time.Hour))
	var current atomic.Pointer[tls.Certificate]
	current.Store(&first.leaf)
	r := newRig(t, rigOptions{serve: func(s *httptest.Server) {
		s.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return &tls.Config{Certificates: []tls.Certificate{*current.Load()}}, nil
		}}
	}})
	with := func(namespace string, bundle []byte) Request {
		return request(namespace, r.proxy.Address()+"/one:v1", func(r *Request) { r.Source.Insecure, r.CABundle = false, bundle })
	}
	r.reject(t, with("a", nil), unavailable, "spec.source.oci.caBundle")
	r.reject(t, with("a", []byte("no certificate")), pluginsv1alpha1.ReasonCABundleInvalid, "caBundle")
	r.recovers(t, with("a", first.bundle))

	current.Store(&second.leaf)
	r.reject(t, with("b", first.bundle), unavailable, "spec.source.oci.caBundle")
	r.recovers(t, with("b", second.bundle))
	r.clock.SetTime(r.clock.Now().Add(2 * provenFor))
	testenv.Eventually(t, "the copy is used while the certificate is not trusted", func(ctx context.Context) error {
		got, err := r.Fetch(ctx, with("a", first.bundle))
		if err != nil {
			t.Fatal(err)
		}
		if got.Failure == nil || !strings.Contains(got.Failure.Error(), "caBundle") {
			return context.DeadlineExceeded
		}
		return nil
	})

	current.Store(&foreign.leaf)
	r.reject(t, with("c", foreign.bundle), unavailable, "its certificate is not valid for it")
	current.Store(&expired.leaf)
	r.reject(t, with("d", expired.bundle), unavailable, "its certificate is not valid for it")
	plain := with("e", nil)
	plain.Source.Reference = r.registry.Address + "/one:v1"
	r.reject(t, plain, unavailable, "spec.source.oci.insecure")
}

func TestSource_mirrors(t *testing.T) {
	t.Parallel()
	first, second := faults.New(t, ""), faults.New(t, "")
	r := newRig(t, rigOptions{})
	first.Next, second.Next = r.proxy.Next, r.proxy.Next
	mirrors := []Mirror{{Prefix: r.proxy.Address(), Target: first.URL}, {Prefix: r.proxy.Address(), Target: second.URL}}
	namespace := 0
	pull := func(what string) Request {
		t.Helper()
		namespace++
		req := request(what, r.proxy.Address()+"/one:v1", as(r.proxy.Address(), "ada:registry"), as(first.Address(), "ada:first"), as(second.Address(), "ada:second"))
		req.Plugin.Namespace = strings.Repeat("n", namespace)
		r.end()
		r.start(t, rigOptions{options: func(o *Options) { o.Registries.Mirrors = mirrors }}, t.TempDir())
		return req
	}
	challenge := func(then faults.Fault, user string) faults.Fault {
		return func(w http.ResponseWriter, req *http.Request, next http.Handler) {
			if _, password, ok := req.BasicAuth(); ok && password != user {
				t.Errorf("%s got the password %q", user, password)
			}
			basic("ada:"+user)(w, req, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { then(w, req, next) }))
		}
	}
	pass := func(w http.ResponseWriter, req *http.Request, next http.Handler) { next.ServeHTTP(w, req) }
	flipped := faults.On("GET", "/blobs/", faults.Edited(func(_ http.Header, b []byte) []byte {
		b[len(b)-1] ^= 1
		return b
	}))
	down := faults.Status(http.StatusInternalServerError)
	for _, tc := range []struct {
		name                    string
		first, second, registry faults.Fault
		// requests tells which of them are asked.
		requests [3]bool
	}{
		{"first", pass, pass, pass, [3]bool{true, false, false}},
		{"second", down, pass, pass, [3]bool{true, true, false}},
		{"registry", down, faults.Status(http.StatusNotFound), pass, [3]bool{true, true, true}},
		{"wrong blob", flipped, down, pass, [3]bool{true, true, true}},
	} {
		req := pull(tc.name)
		before := [3]int{first.Count("", ""), second.Count("", ""), r.proxy.Count("", "")}
		first.Set(challenge(tc.first, "first"))
		second.Set(challenge(tc.second, "second"))
		r.proxy.Set(challenge(tc.registry, "registry"))
		r.expect(t, req, r.module)
		for i, p := range []*faults.Proxy{first, second, r.proxy} {
			if got := p.Count("", "") > before[i]; got != tc.requests[i] {
				t.Errorf("%s: place %d was asked: %t", tc.name, i+1, got)
			}
		}
	}

	t.Log("what a mirror responds does not decide while the registry is down")
	req := pull("outage")
	for _, p := range []*faults.Proxy{first, second, r.proxy} {
		p.Set(nil)
	}
	r.expect(t, req, r.module)
	first.Set(basic("nobody:secret"))
	second.Set(faults.Status(http.StatusNotFound))
	r.proxy.CloseClientConnections()
	r.proxy.Close()
	r.clock.SetTime(r.clock.Now().Add(2 * provenFor))
	testenv.Eventually(t, "the copy is used", func(ctx context.Context) error {
		got, err := r.Fetch(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		if got.Failure == nil {
			return context.DeadlineExceeded
		}
		return nil
	})
	fresh := req
	fresh.Plugin.Namespace = "fresh"
	r.reject(t, fresh, pluginsv1alpha1.ReasonRegistryUnavailable, "mirror "+first.Address(), "mirror "+second.Address())
}
