// SPDX-License-Identifier: Apache-2.0

package app

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/k1s-io/k1s/internal/access"
)

// serviceHostEnv holds the address of the API server's Service, in every Pod.
const serviceHostEnv = "KUBERNETES_SERVICE_HOST"

// egress bounds where HTTP requests of plugins can go: nowhere near the operator, not to the API server's Service,
// and not to what the flags deny.
func egress(o Options, getenv func(string) string, own func() ([]net.Addr, error)) (access.Egress, error) {
	e := access.Egress{Denied: access.DeniedAddresses()}
	for _, text := range append(listOf(o.DeniedCIDRs), listOf(getenv(serviceHostEnv))...) {
		denied, err := access.ParseDenied(text)
		if err != nil && text == getenv(serviceHostEnv) {
			continue // a name, outside of a cluster
		}
		if err != nil {
			return e, fmt.Errorf("--denied-cidrs: %w", err)
		}
		e.Denied = append(e.Denied, denied)
	}
	// What listens on every address of the Pod, as the metrics do, listens on these as on loopback.
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
	e.RootCAs, err = rootCAs(o.HTTPCAFile)
	return e, err
}

// rootCAs are the system's with those of a file; without a file, nil, which are the system's.
func rootCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("read the system's root certificates: %w", err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--http-ca-file: %w", err)
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New("--http-ca-file: it has no certificate in PEM")
	}
	return roots, nil
}

// listOf splits a list with commas.
func listOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}
