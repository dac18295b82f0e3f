// SPDX-License-Identifier: Apache-2.0

// Package hostname gives each host of a registry one spelling. DNS, certificates and HTTP do not distinguish spellings, so
// a comparison of texts would take one server for two, and a policy for one of them would not apply to the other.
package hostname

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/k1s-io/k1s/internal/access/origin"
	"github.com/k1s-io/k1s/internal/text"
)

// maxQuoted limits what an error quotes, in bytes.
const maxQuoted = 256

// DockerHub is the name of Docker Hub in references. Its API has other names.
const DockerHub = "docker.io"

// Canonical returns the one spelling of a host: a name in lower-case ASCII without a trailing dot, or an address without
// brackets, where IPv4 in IPv6 is IPv4. All names of Docker Hub are DockerHub.
func Canonical(host string) (string, error) {
	name, err := origin.CanonicalHost(host)
	if err != nil {
		return "", fmt.Errorf("%q is not a valid host name", text.Truncate(host, maxQuoted))
	}
	if address, err := netip.ParseAddr(name); err == nil {
		return address.Unmap().String(), nil
	}
	switch name {
	case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com":
		return DockerHub, nil
	}
	return name, nil
}

// Registry returns the one spelling of a host with an optional port, such as "registry.example:5000" or "[::1]".
func Registry(hostport string) (string, error) {
	host, port, err := split(hostport)
	if err != nil {
		return "", err
	}
	if host, err = Canonical(host); err != nil {
		return "", err
	}
	switch {
	case port != "":
		return net.JoinHostPort(host, port), nil
	case strings.Contains(host, ":"):
		return "[" + host + "]", nil
	default:
		return host, nil
	}
}

// split returns the host without brackets, and the port as a decimal number, or empty.
func split(hostport string) (host, port string, err error) {
	colon := strings.LastIndexByte(hostport, ':')
	if colon <= strings.LastIndexByte(hostport, ']') { // that of an IPv6 address, or none
		host = hostport
	} else {
		host, port = hostport[:colon], hostport[colon+1:]
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 {
			return "", "", fmt.Errorf("%q is not a port", text.Truncate(port, maxQuoted))
		}
		port = strconv.FormatUint(number, 10)
	}
	if inside, ok := strings.CutPrefix(host, "["); ok {
		if inside, ok = strings.CutSuffix(inside, "]"); !ok || !strings.Contains(inside, ":") {
			return "", "", errors.New("brackets are for IPv6 addresses")
		}
		return inside, port, nil
	}
	if strings.Contains(host, ":") {
		return "", "", errors.New("an IPv6 address needs brackets")
	}
	return host, port, nil
}
