// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/k1s-io/k1s/internal/access/origin"
)

const (
	// dialTimeout is the timeout of resolving a name and connecting to one of its addresses.
	dialTimeout = 10 * time.Second
	// checkTimeout is the timeout of resolving a name that a proxy is asked for. Clusters with a proxy often have a DNS that
	// does not answer, and a pull makes several such requests.
	checkTimeout = 2 * time.Second
	// maxAddresses is how many addresses of a name are tried.
	maxAddresses = 8

	localhost = "localhost"
)

// ErrAddress means that plugins are not allowed to reach an address. It does not include the address, because guests
// must not learn what a name inside of the network resolves to.
var ErrAddress = errors.New("the address is one that plugins cannot reach")

// Egress restricts where HTTP requests of plugins can go, regardless of their specs. Its zero value is ready to use.
type Egress struct {
	// Denied are addresses that no plugin can reach; nil means DeniedAddresses().
	Denied []netip.Prefix
	// Allowed are exceptions from Denied.
	Allowed []netip.Prefix
	// RootCAs are the CAs that are trusted for servers; nil means those of the system.
	RootCAs *x509.CertPool
	// Lookup resolves a host name; nil means the system's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

// DeniedAddresses returns the addresses of the operator itself, of its node, of cloud metadata servers, and those that
// do not belong to one host. Private networks are not denied.
func DeniedAddresses() []netip.Prefix {
	var out []netip.Prefix
	for _, prefix := range []string{
		"0.0.0.0/8", "::/128", // unspecified: Linux connects to itself
		"127.0.0.0/8", "::1/128", // loopback
		"169.254.0.0/16", "fe80::/10", "fec0::/10", // link-local, with the metadata of nearly all clouds; site-local
		"224.0.0.0/4", "ff00::/8", "240.0.0.0/4", // multicast, reserved, broadcast
		"fd00:ec2::/32", "fd20:ce::254/128", "100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32", // other metadata: AWS, Google, Alibaba, Oracle, Azure
		"::/96", "2002::/16", "2001::/32", "64:ff9b:1::/48", // embedded addresses: IPv4-compatible, 6to4, Teredo, local NAT64
	} {
		out = append(out, netip.MustParsePrefix(prefix))
	}
	return out
}

// wellKnownNAT64 is the prefix of embedded IPv4 addresses, with which clusters without IPv4 reach IPv4 hosts.
var wellKnownNAT64 = netip.MustParsePrefix("64:ff9b::/96")

// denies reports whether plugins are not allowed to reach an address, in any of its forms.
func (e Egress) denies(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	contains := func(p netip.Prefix) bool { return p.Contains(address) }
	if address.IsValid() && slices.ContainsFunc(e.Allowed, contains) {
		return false
	}
	if !address.IsValid() || slices.ContainsFunc(e.Denied, contains) {
		return true
	}
	if wellKnownNAT64.Contains(address) {
		bytes := address.As16()
		address = netip.AddrFrom4([4]byte(bytes[12:]))
		return slices.ContainsFunc(e.Denied, contains)
	}
	return false
}

// Dial resolves a name, checks its addresses and connects to one of them. The name is not resolved again after the
// check, so that it cannot resolve to something else by then.
func (e Egress) Dial(ctx context.Context, _, target string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err
	}
	addresses, err := e.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	// One denied address is enough: a legitimate name has none.
	if slices.ContainsFunc(addresses, e.denies) {
		return nil, ErrAddress
	}
	err = &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
	for i, address := range addresses {
		var conn net.Conn
		// Each address gets its share of the timeout, so that one without a response leaves time for the others.
		deadline, _ := ctx.Deadline()
		dialer := net.Dialer{Timeout: time.Until(deadline) / time.Duration(len(addresses)-i), Control: e.control}
		if conn, err = dialer.DialContext(ctx, "tcp", net.JoinHostPort(address.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// Check returns ErrAddress if a host is a denied address, resolves to one, or is not a valid host, such as 2852039166, which
// a proxy could take for 169.254.169.254. It is for requests through a proxy, which resolves the name itself: so a name is
// not denied because the operator's DNS does not know it or does not answer. Other errors of DNS are returned.
func (e Egress) Check(ctx context.Context, host string) error {
	name, err := origin.CanonicalHost(host) // as net/http sends it
	if err != nil {
		return ErrAddress
	}
	if metadata := netip.MustParseAddr(linkLocalMetadata); slices.Contains(metadataNames(), name) && e.denies(metadata) {
		return ErrAddress
	}
	short, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	addresses, err := e.lookup(short, name)
	switch {
	case slices.ContainsFunc(addresses, e.denies):
		return ErrAddress
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil, isUnresolvable(err):
		return nil
	default:
		return fmt.Errorf("resolve %q, before a proxy is asked for it: %w", name, err)
	}
}

// isUnresolvable reports whether DNS does not know a name, or does not reach whoever does. Then it answers SERVFAIL, which
// is a temporary error, or not at all.
func isUnresolvable(err error) bool {
	var failed *net.DNSError
	return errors.As(err, &failed) && (failed.IsNotFound || failed.IsTimeout || failed.IsTemporary) || errors.Is(err, context.DeadlineExceeded)
}

// linkLocalMetadata is the address of the metadata servers of nearly all clouds.
const linkLocalMetadata = "169.254.169.254"

// metadataNames returns the names of metadata servers. Only the DNS of the cloud resolves them, which a proxy can have
// although the operator has another one.
func metadataNames() []string {
	return []string{
		"metadata.google.internal", "metadata.goog", "metadata", // Google
		"instance-data.ec2.internal", "instance-data", // AWS
		"metadata.azure.internal", "metadata.tencentyun.com",
	}
}

// control checks an address right before the connection is made.
func (e Egress) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || e.denies(to.Addr()) {
		return ErrAddress
	}
	return nil
}

func (e Egress) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{address}, nil
	}
	host = strings.TrimSuffix(host, ".")
	lookup := e.Lookup
	if lookup == nil {
		// The trailing dot excludes the search domains of the operator's Pod. With them, api.example.com could be a
		// Service in a namespace called com.
		lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			if host == localhost || strings.HasSuffix(host, "."+localhost) { // RFC 6761, section 6.3; DNS need not have it
				return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
			}
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host+".")
		}
	}
	addresses, err := lookup(ctx, host)
	return addresses[:min(len(addresses), maxAddresses)], err
}

// ParseDenied parses an address or a prefix such as "10.96.0.0/12".
func ParseDenied(text string) (netip.Prefix, error) {
	address, err := netip.ParseAddr(text)
	if err == nil {
		address = address.Unmap()
		return address.WithZone("").Prefix(address.BitLen())
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, errors.New(strconv.Quote(text) + " is neither an address nor a prefix such as 10.96.0.0/12")
	}
	if prefix.Addr().Is4In6() { // such a prefix would contain no address, because all addresses are compared unmapped
		return netip.Prefix{}, errors.New(strconv.Quote(text) + " is IPv4 in IPv6: write it as IPv4")
	}
	return prefix.Masked(), nil
}
