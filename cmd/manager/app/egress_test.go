// SPDX-License-Identifier: Apache-2.0

package app

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/access"
)

func own() ([]net.Addr, error) {
	return []net.Addr{&net.IPNet{IP: net.ParseIP("10.1.2.3"), Mask: net.CIDRMask(24, 32)}}, nil
}

func TestEgress_denied(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		flag, service string
		want          []string // in addition to what is always denied
	}{
		"nothing said":          {"", "", []string{"10.1.2.3/32"}},
		"the service":           {"", "10.96.0.1", []string{"10.96.0.1/32", "10.1.2.3/32"}},
		"the service in IPv6":   {"", "fd00::1", []string{"fd00::1/128", "10.1.2.3/32"}},
		"the service by a name": {"", "kubernetes.example", []string{"10.1.2.3/32"}},
		"flags":                 {"10.96.5.0/12, fd00:1::/108,192.0.2.1", "", []string{"10.96.0.0/12", "fd00:1::/108", "192.0.2.1/32", "10.1.2.3/32"}},
	} {
		got, err := egress(Options{DeniedCIDRs: tc.flag}, func(string) string { return tc.service }, own)
		want := access.DeniedAddresses()
		for _, text := range tc.want {
			want = append(want, netip.MustParsePrefix(text))
		}
		if err != nil || !slices.Equal(got.Denied, want) || got.RootCAs != nil {
			t.Errorf("%s: got %v, %v, want %v", name, got.Denied, err, want)
		}
	}
	for _, flag := range []string{"10.96.0.0/33", "cluster.local", "::ffff:10.0.0.0/104"} {
		if _, err := egress(Options{DeniedCIDRs: flag}, func(string) string { return "" }, own); err == nil || !strings.Contains(err.Error(), "--denied-cidrs: ") {
			t.Errorf("%q: got %v", flag, err)
		}
	}
}

func TestEgress_rootCAs(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, empty + ".missing"} {
		if _, err := egress(Options{HTTPCAFile: file}, func(string) string { return "" }, own); err == nil || !strings.Contains(err.Error(), "--http-ca-file: ") {
			t.Errorf("%s: got %v", file, err)
		}
	}

	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	good := empty + ".good"
	if err := os.WriteFile(good, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := egress(Options{HTTPCAFile: good}, func(string) string { return "" }, own)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Certificate().Verify(x509.VerifyOptions{Roots: e.RootCAs}); err != nil {
		t.Errorf("what the file has is not trusted: %v", err)
	}
}
