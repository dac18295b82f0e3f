// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/access/origin"
	"github.com/k1s-io/k1s/internal/testenv"
)

func prefixes(texts ...string) []netip.Prefix {
	out := []netip.Prefix{}
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// byName resolves some names, and all others to loopback.
func byName(names map[string]string) func(context.Context, string) ([]netip.Addr, error) {
	return func(_ context.Context, host string) ([]netip.Addr, error) {
		if address, ok := names[host]; ok {
			return []netip.Addr{netip.MustParseAddr(address)}, nil
		}
		return []netip.Addr{loopback}, nil
	}
}

func TestEgress_denies(t *testing.T) {
	t.Parallel()
	e := Egress{Denied: append(DeniedAddresses(), prefixes("10.96.0.0/12", "fd00:96::/108")...)}
	for address, denied := range map[string]bool{
		"127.0.0.1": true, "127.255.255.254": true, "0.0.0.0": true, "0.1.2.3": true, "::1": true, "::": true,
		"169.254.169.254": true, "169.254.0.1": true, "fe80::1": true, "fe80::1%eth0": true, "febf::1": true, "fec0::1": true,
		"fd00:ec2::254": true, "fd00:ec2::23": true, "fd20:ce::254": true, "100.100.100.200": true, "192.0.0.192": true, "168.63.129.16": true,
		"224.0.0.1": true, "239.255.255.250": true, "255.255.255.255": true, "240.0.0.1": true, "ff02::1": true,
		"::ffff:127.0.0.1": true, "::ffff:169.254.169.254": true, "::127.0.0.1": true, "::ffff:10.96.0.1": true,
		"64:ff9b::127.0.0.1": true, "64:ff9b::a9fe:a9fe": true, "64:ff9b::10.100.0.1": true, "64:ff9b:1::7f00:1": true,
		"2002:7f00:1::": true, "2002:a9fe:a9fe::1": true, "2001:0:1::1": true,
		"10.96.0.1": true, "10.111.255.255": true, "fd00:96::1": true,

		"10.95.255.255": false, "10.112.0.0": false, "192.168.1.1": false, "172.16.0.1": false, "fd00:97::1": false, "fc00::1": false,
		"192.0.2.1": false, "8.8.8.8": false, "::ffff:8.8.8.8": false, "64:ff9b::8.8.8.8": false, "2606:4700::1111": false, "2001:db8::1": false,
	} {
		if got := e.denies(netip.MustParseAddr(address)); got != denied {
			t.Errorf("%s: denied %v, want %v", address, got, denied)
		}
	}
	if !e.denies(netip.Addr{}) {
		t.Error("no address at all is not denied")
	}
}

// TestEgress_default reaches no server on loopback, in whatever form the address is given: a Factory has the zero
// Egress if none is set.
func TestEgress_default(t *testing.T) {
	t.Parallel()
	port := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("it was reached as %s", r.Host) })
	hosts := map[string]string{
		"127.0.0.1": "http://127.0.0.1", "[::ffff:127.0.0.1]": "http://[::ffff:7f00:1]", "[::1]": "http://[::1]",
		"0.0.0.0": "http://0.0.0.0", "*.localtest.example": "http://a.localtest.example",
		"[64:ff9b::7f00:1]": "http://[64:ff9b::127.0.0.1]", "169.254.169.254": "http://169.254.169.254",
	}
	for host, url := range hosts {
		e := Egress{}
		if strings.HasPrefix(host, "*") {
			e.Lookup = toLoopback
		}
		c, _ := outside(t, e, []string{host + port})
		_, err := get(t, c, url+port)
		wantDenial(t, err, metav1.StatusReasonForbidden, "address: cannot GET", "it has an address that plugins cannot reach")
		if _, message := statusOf(err); host == "*.localtest.example" && strings.Contains(message, "127.0.0.1") {
			t.Errorf("it tells what a name resolves to: %s", message)
		}
	}
}

// TestEgress_rebinding resolves a name to a harmless address first, and to loopback from then on. The connection is
// made to the address that was checked. The next connection resolves and checks again.
func TestEgress_rebinding(t *testing.T) {
	t.Parallel()
	port := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	second, err := net.Listen("tcp", "127.0.0.2"+port)
	if err != nil {
		t.Skipf("no second address of loopback: %v", err)
	}
	defer second.Close()
	go func() {
		for {
			conn, err := second.Accept()
			if err != nil {
				return
			}
			t.Error("the name was looked up again after it was checked")
			_ = conn.Close()
		}
	}()
	var asked atomic.Int32
	e := Egress{Denied: prefixes("127.0.0.2/32"), Lookup: func(context.Context, string) ([]netip.Addr, error) {
		if asked.Add(1) == 1 {
			return []netip.Addr{loopback}, nil
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.2")}, nil
	}}
	c, _ := outside(t, e, []string{"a.example" + port})
	if _, err := get(t, c, "http://a.example"+port); err != nil || asked.Load() != 1 {
		t.Errorf("first: %v, looked up %d times", err, asked.Load())
	}
	_, err = get(t, c, "http://a.example"+port)
	wantDenial(t, err, metav1.StatusReasonForbidden, "address: ")
}

// TestEgress_mixed resolves a name to an allowed address and a denied one.
func TestEgress_mixed(t *testing.T) {
	t.Parallel()
	port := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was reached") })
	for _, denied := range []string{"127.0.0.2", "::ffff:127.0.0.2"} {
		e := Egress{Denied: prefixes("127.0.0.2/32"), Lookup: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{loopback, netip.MustParseAddr(denied)}, nil
		}}
		c, _ := outside(t, e, []string{"a.example" + port})
		_, err := get(t, c, "http://a.example"+port)
		wantDenial(t, err, metav1.StatusReasonForbidden, "address: ")
	}
}

// TestEgress_control checks the last check of an address before the connection.
func TestEgress_control(t *testing.T) {
	t.Parallel()
	e := Egress{Denied: DeniedAddresses()}
	for address, denied := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "rubbish": true, "192.0.2.1:80": false} {
		if err := e.control("tcp", address, nil); errors.Is(err, ErrAddress) != denied {
			t.Errorf("%s: got %v", address, err)
		}
	}
}

// TestEgress_unreachable checks the errors for hosts without a server, an address or a name.
func TestEgress_unreachable(t *testing.T) {
	t.Parallel()
	port := fmt.Sprintf(":%d", testenv.FreePort(t))
	for name, tc := range map[string]struct {
		lookup func(context.Context, string) ([]netip.Addr, error)
		part   string
	}{
		"nobody listens": {toLoopback, "cannot connect"},
		"no addresses":   {func(context.Context, string) ([]netip.Addr, error) { return nil, nil }, "the name cannot be resolved"},
		"no such name": {func(_ context.Context, host string) ([]netip.Addr, error) {
			return nil, &net.DNSError{Name: host, IsNotFound: true}
		}, "the name cannot be resolved"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := outside(t, Egress{Denied: prefixes(), Lookup: tc.lookup}, []string{"a.example" + port})
			_, err := get(t, c, "http://a.example"+port+"/?secret")
			wantDenial(t, err, metav1.StatusReasonServiceUnavailable, `GET "a.example`+port+`": `+tc.part)
		})
	}
}

func TestAllowlist_hosts(t *testing.T) {
	t.Parallel()
	for entry, urls := range map[string]map[string]bool{
		"api.example.com": {
			"https://api.example.com": true, "http://api.example.com": true, "https://API.example.COM:443/x": true, "https://api.example.com./": true,
			"http://api.example.com:80": true, "https://api.example.com:80": false, "http://api.example.com:443": false, "https://api.example.com:8443": false,
			"https://x.api.example.com": false, "https://example.com": false, "https://api.example.com.evil.example": false,
		},
		"Api.Example.com:8443": {
			"https://api.example.com:8443": true, "http://api.example.com:8443": true, "https://api.example.com": false,
		},
		"*.example.com": {
			"https://a.example.com": true, "https://a.b.example.com": true, "https://example.com": false, "https://.example.com": false,
			"https://aexample.com": false, "https://a.example.com:8443": false,
		},
		"*.internal.example.com:8443": {"https://a.internal.example.com:8443": true, "https://a.internal.example.com": false},
		"xn--bcher-kva.example":       {"https://bücher.example": true, "https://BÜCHER.example": true, "https://bu\u0308cher.example": true, "https://bucher.example": false},
		"192.0.2.1":                   {"http://192.0.2.1": true, "http://192.0.2.1:8080": false, "http://192.0.2.10": false, "http://[::ffff:192.0.2.1]": false},
		"*.2.1":                       {"http://192.0.2.1": false},
		"[2001:db8::1]":               {"http://[2001:db8::1]": true, "http://[2001:DB8:0::0:1]/": true, "http://[2001:db8::1]:81": false, "http://[2001:db8::2]": false},
		"[2001:db8::1]:8080":          {"http://[2001:db8::1]:8080": true, "http://[2001:db8::1]": false},
		"*":                           {"http://a.example": false},
		"*.":                          {"http://a.example.": false},
		"":                            {"http://a.example": false},
	} {
		l := Allowlist{Hosts: []string{"other.example", entry}}
		for text, want := range urls {
			u, err := url.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			o, err := origin.Of(u)
			if got := err == nil && l.deniesHost(o) == ""; got != want {
				t.Errorf("%q: %s is allowed: %v (%v), want %v", entry, text, got, err, want)
			}
		}
	}
	if why := (Allowlist{}).deniesHost(origin.Origin{Scheme: "https", Host: "2001:db8::1", Port: "8443"}); why != `security.allowedHosts does not have "[2001:db8::1]:8443"` {
		t.Errorf("it says %q, which must be what to add", why)
	}
}
