// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/oci"
	"github.com/k1s-io/k1s/internal/source/oci/blobs"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestRegistries_deniedAddresses shows that registries cannot be at the addresses of the node and of clouds' metadata.
func TestRegistries_deniedAddresses(t *testing.T) {
	t.Parallel()
	names := map[string]string{"metadata.example": "169.254.169.254", "local.example": "127.0.0.1"}
	denied := access.Egress{
		Denied: access.DeniedAddresses(),
		Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr(names[host])}, nil
		},
	}
	registries, err := (&RegistryOptions{}).registries(denied)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{
		"127.0.0.1:5000", "[::1]:5000", "[::ffff:127.0.0.1]:5000", "169.254.169.254:80", "[fe80::1]:80", "0.0.0.0:5000", "[fd00:ec2::254]:80",
		"[64:ff9b::a9fe:a9fe]:80", "metadata.example:80", "local.example:5000",
	} {
		if conn, err := registries.Dial(t.Context(), "tcp", address); !errors.Is(err, oci.ErrAddress) || conn != nil {
			t.Errorf("%s: got %v", address, err)
		}
	}
}

// TestRegistries_pull pulls from a loopback address, which is only reached with --allowed-registry-cidrs.
func TestRegistries_pull(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	for _, tc := range []struct {
		cidrs, reason string
		requests      int32
	}{
		{"", pluginsv1alpha1.ReasonRegistryNotAllowed, 0},
		{"127.0.0.0/8", pluginsv1alpha1.ReasonArtifactNotFound, 2}, // HEAD and GET
	} {
		registries, err := (&RegistryOptions{AllowedCIDRs: tc.cidrs}).registries(access.Egress{Denied: access.DeniedAddresses()})
		if err != nil {
			t.Fatal(err)
		}
		cache, err := blobs.Open(t.TempDir(), func() {})
		if err != nil {
			t.Fatal(err)
		}
		source := oci.New(oci.Options{Registries: registries, Cache: cache, MaxBytes: 1 << 20, Clock: clock.RealClock{}})
		stop := testenv.Background(t, source.Start)
		request := oci.Request{
			Plugin: types.NamespacedName{Namespace: "n", Name: "plugin"},
			Source: pluginsv1alpha1.OCISource{Reference: server.Listener.Addr().(*net.TCPAddr).String() + "/one:v1", Insecure: true},
		}
		testenv.Eventually(t, "the pull fails with "+tc.reason, func(ctx context.Context) error {
			_, err := source.Fetch(ctx, request)
			if load := (*plugin.LoadError)(nil); !errors.As(err, &load) || load.Reason != tc.reason {
				return errors.Join(errors.New("another error"), err)
			}
			if strings.Contains(err.Error(), access.ErrAddress.Error()) {
				t.Errorf("the message is that for plugins: %v", err)
			}
			return nil
		})
		stop()
		if got := requests.Load(); got != tc.requests {
			t.Errorf("%q: got %d requests, want %d", tc.cidrs, got, tc.requests)
		}
	}
}

// TestRegistries_proxy shows that the usual environment variables configure a proxy, which is not asked for addresses that
// the operator does not connect to. It knows names that the operator does not.
func TestRegistries_proxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://proxy.example:3128")
	t.Setenv("HTTP_PROXY", "http://plain.example:3128")
	t.Setenv("NO_PROXY", "internal.example,10.0.0.0/8")
	denied := access.Egress{
		Denied: access.DeniedAddresses(),
		Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			switch host {
			case "metadata.example":
				return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("169.254.169.254")}, nil
			case "registry.example":
				return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
			}
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		},
	}
	registries, err := (&RegistryOptions{AllowedCIDRs: "127.0.0.2"}).registries(denied)
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		"https://registry.example/v2/": "http://proxy.example:3128", "http://registry.example/v2/": "http://plain.example:3128",
		"https://internal.example/v2/": "", "https://one.internal.example:5000/v2/": "", "http://10.1.2.3/v2/": "", "http://localhost/v2/": "",
	} {
		at, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if proxy, err := registries.Proxy(at); err != nil {
			t.Error(err)
		} else if proxy != nil {
			got = proxy.String()
		}
		if got != want {
			t.Errorf("%s: got the proxy %q, want %q", target, got, want)
		}
	}
	for host, allowed := range map[string]bool{
		"169.254.169.254": false, "127.0.0.1": false, "::1": false, "metadata.example": false, "fd00:ec2::254": false,
		"2852039166": false, "0xA9FEA9FE": false, "169.254.43518": false, "0251.0376.0251.0376.": false, "127.0.0x1": false, "metadata.example.": false, "１６９.２５４.１６９.２５４": false, // 169.254.169.254 and 127.0.0.1
		"127.0.0.2": true, "192.0.2.1": true, "registry.example": true, "unknown.example": true, "1.example": true, "0xa.example": true,
	} {
		if err := registries.Check(t.Context(), host); (err == nil) != allowed || err != nil && !errors.Is(err, oci.ErrAddress) {
			t.Errorf("%s: got %v, want it allowed: %t", host, err, allowed)
		}
	}
}
