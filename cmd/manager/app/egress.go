// SPDX-License-Identifier: Apache-2.0

package app

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/k1s-io/k1s/internal/access"
)

// serviceHostEnv is the environment variable with the address of the API server's Service. Every Pod has it.
const serviceHostEnv = "KUBERNETES_SERVICE_HOST"

// egress limits the addresses to which plugins can send HTTP requests. It denies addresses of the operator itself, the
// API server's Service, and what the flags deny.
func egress(o Options, getenv func(string) string, own func() ([]net.Addr, error)) (access.Egress, error) {
	e := access.Egress{Denied: access.DeniedAddresses()}
	for _, text := range append(listOf(o.DeniedCIDRs), listOf(getenv(serviceHostEnv))...) {
		denied, err := access.ParseDenied(text)
		if err != nil && text == getenv(serviceHostEnv) {
			continue // a host name, outside of a cluster
		}
		if err != nil {
			return e, fmt.Errorf("--denied-cidrs: %w", err)
		}
		e.Denied = append(e.Denied, denied)
	}
	// A server that listens on all addresses of the Pod, such as the metrics endpoint, is reachable on these as on
	// loopback.
	addresses, err := own()
	if err != nil {
		return e, fmt.Errorf("list the operator's own addresses: %w", err)
	}
	for _, a := range addresses {
		if network, ok := a.(*net.IPNet); ok {
			if address, ok := netip.AddrFromSlice(network.IP); ok {
				address = address.Unmap()
				e.Denied = append(e.Denied, netip.PrefixFrom(address, address.BitLen()))
			}
		}
	}
	e.RootCAs, err = rootCAs("--http-ca-file", o.HTTPCAFile)
	return e, err
}

// rootCAs returns the system's root certificates and those in a file. If file is empty it returns nil, which means the
// system's.
func rootCAs(flag, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // the system's
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("read the system's root certificates: %w", err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: it has no certificate in PEM", flag)
	}
	return roots, nil
}

// listOf splits a list at commas and spaces.
func listOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}
