// SPDX-License-Identifier: Apache-2.0

// Package origin parses the origin of URLs, in one canonical form that is compared, resolved and recorded. It is small
// and has few dependencies, so that it can be fuzzed: it decides which hosts a plugin can reach.
package origin

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/k1s-io/k1s/internal/text"
)

const (
	schemeHTTP  = "http"
	schemeHTTPS = "https"
	// maxHostname and maxLabel are the limits of DNS, in bytes.
	maxHostname, maxLabel = 253, 63
)

// defaultPorts are the ports of URLs without a port, by scheme.
var defaultPorts = map[string]string{schemeHTTP: "80", schemeHTTPS: "443"}

// Origin is the scheme, host and port of a URL, in the one canonical form that is compared, resolved and recorded.
type Origin struct {
	// Scheme is "http" or "https".
	Scheme string
	// Host is a name in lower-case ASCII without a trailing dot, or an address without brackets.
	Host string
	// Port is a number, even if the URL has none.
	Port string
}

// String returns the host with its port. Messages and records have only this part of a URL, because the path and the
// query may be secret.
func (o Origin) String() string { return net.JoinHostPort(o.Host, o.Port) }

// HostPort returns the host, with the port unless it is the default. It is the form for a URL, for the Host header, and
// for an entry of an allowlist.
func (o Origin) HostPort() string {
	switch {
	case o.Port != defaultPorts[o.Scheme]:
		return o.String()
	case strings.Contains(o.Host, ":"):
		return "[" + o.Host + "]"
	default:
		return o.Host
	}
}

// Of returns the origin of a URL. Its errors quote only the host of the URL.
func Of(u *url.URL) (Origin, error) {
	o := Origin{Scheme: u.Scheme, Port: u.Port()}
	switch {
	case u.Scheme != schemeHTTP && u.Scheme != schemeHTTPS:
		return Origin{}, errors.New("the scheme is neither http nor https")
	case u.Opaque != "" || u.Host == "":
		return Origin{}, errors.New("it has no host")
	case u.User != nil:
		return Origin{}, errors.New("it has a user or a password: send them in the header Authorization")
	}
	if o.Port == "" {
		o.Port = defaultPorts[o.Scheme]
	}
	port, err := strconv.ParseUint(o.Port, 10, 16)
	if err != nil || port == 0 {
		return Origin{}, fmt.Errorf("there is no port %q", text.Truncate(o.Port, maxHostname))
	}
	o.Port = strconv.FormatUint(port, 10)
	o.Host, err = CanonicalHost(u.Hostname())
	return o, err
}

// CanonicalHost returns the canonical form of an address or a name: the address without brackets, or the name in lower-case
// ASCII without a trailing dot. It returns an error for what can be neither.
func CanonicalHost(host string) (string, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		if address.Zone() != "" {
			return "", fmt.Errorf("the address %q has a zone", text.Truncate(host, maxHostname))
		}
		return address.String(), nil
	}
	name := strings.TrimSuffix(host, ".")
	if strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", fmt.Errorf("there is no host %q", text.Truncate(host, maxHostname))
		}
		name = ascii
	}
	name = strings.ToLower(name)
	if !validName(name) {
		return "", fmt.Errorf("there is no host %q", text.Truncate(host, maxHostname))
	}
	return name, nil
}

// validName reports whether a name can only be a DNS name. Some resolvers read 127.1 or 0x7f000001 as an address, so a
// name whose last label is a number is not valid.
func validName(name string) bool {
	if len(name) > maxHostname {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > maxLabel || strings.ContainsFunc(label, notInName) {
			return false
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(last, "0x")
}

func notInName(r rune) bool {
	return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
}

// Matches reports whether an entry "host[:port]" or "*.host[:port]" of an allowlist matches the origin.
func (o Origin) Matches(entry string) bool {
	entry = strings.ToLower(entry)
	host, port := entry, defaultPorts[o.Scheme]
	if i := strings.LastIndexByte(entry, ':'); i > strings.LastIndexByte(entry, ']') {
		host, port = entry[:i], entry[i+1:]
	}
	if port != o.Port {
		return false
	}
	if below, ok := strings.CutPrefix(host, "*"); ok {
		_, err := netip.ParseAddr(o.Host)
		return err != nil && len(below) > 1 && len(o.Host) > len(below) && strings.HasSuffix(o.Host, below)
	}
	listed, err := CanonicalHost(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil && listed == o.Host
}
