// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestEgress_Check asks for hosts as the URLs of a registry can have them.
func TestEgress_Check(t *testing.T) {
	t.Parallel()
	known := map[string]string{"metadata.example": "169.254.169.254", "registry.example": "192.0.2.1", "xn--bcher-kva.example": "127.0.0.1"}
	e := Egress{Denied: DeniedAddresses(), Allowed: prefixes("127.0.0.2/32"), Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
		switch address, ok := known[host]; {
		case ok:
			return []netip.Addr{netip.MustParseAddr(address)}, nil
		case host == "timeout.example":
			return nil, &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true}
		case host == "servfail.example":
			return nil, &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}
		case host == "deadline.example":
			return nil, context.DeadlineExceeded
		case host == "broken.example":
			return nil, errors.New("broken")
		}
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}}
	denied, broken := ErrAddress, errors.New("broken")
	for host, want := range map[string]error{
		"registry.example": nil, "REGISTRY.example.": nil, "192.0.2.1": nil, "127.0.0.2": nil, "2001:db8::1": nil,
		// What the operator cannot resolve, the proxy may.
		"unknown.example": nil, "timeout.example": nil, "servfail.example": nil, "deadline.example": nil,
		"broken.example": broken,
		// Denied, in the spellings that net/http, DNS and proxies accept.
		"metadata.example": denied, "metadata.example.": denied, "METADATA.example": denied, "ｍetadata.example": denied, "metadata。example": denied,
		"bücher.example": denied, "BÜCHER.example.": denied, "xn--bcher-kva.example": denied,
		"169.254.169.254": denied, "::ffff:169.254.169.254": denied, "fd00:ec2::254": denied, "127.0.0.1": denied, "::1": denied,
		"１６９.２５４.１６９.２５４": denied, "169。254。169。254": denied, "169.254.169.254.": denied, "2852039166": denied, "0xA9FEA9FE": denied, "127.1": denied,
		"metadata.google.internal": denied, "Metadata.Google.Internal.": denied, "metadata": denied, "instance-data": denied,
		// No valid hosts.
		"": denied, ".": denied, "..": denied, "registry.example..": denied, "metadata.example。": denied, "registry example": denied, "fe80::1%eth0": denied, "a.example@b.example": denied,
	} {
		err := e.Check(t.Context(), host)
		if errors.Is(err, ErrAddress) != errors.Is(want, denied) || (err == nil) != (want == nil) {
			t.Errorf("%q: got %v, want %v", host, err, want)
		}
	}
	e.Allowed = prefixes("169.254.169.254/32")
	if err := e.Check(t.Context(), "metadata.google.internal"); err != nil {
		t.Errorf("an exception: got %v", err)
	}
}

// TestEgress_Check_localhost needs no DNS.
func TestEgress_Check_localhost(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"localhost", "LOCALHOST", "localhost.", "a.localhost", "a.localhost.", "ｌocalhost"} {
		if err := (Egress{Denied: DeniedAddresses()}).Check(t.Context(), host); !errors.Is(err, ErrAddress) {
			t.Errorf("%q: got %v", host, err)
		}
	}
}

// TestEgress_Check_silentDNS shows that a DNS without an answer does not take up the time of a request, and is not asked
// for longer than the request lasts.
func TestEgress_Check_silentDNS(t *testing.T) {
	t.Parallel()
	e := Egress{Denied: DeniedAddresses(), Lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
		<-ctx.Done()
		return nil, &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true}
	}}
	begin := time.Now()
	if err := e.Check(t.Context(), "registry.example"); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 2*checkTimeout {
		t.Errorf("it took %s", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Check(ctx, "registry.example"); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled request: got %v", err)
	}
}
