// SPDX-License-Identifier: Apache-2.0

package access

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
)

const (
	schemeHTTP  = "http"
	schemeHTTPS = "https"
	// maxHostname and maxLabel are DNS's.
	maxHostname, maxLabel = 253, 63
)

// defaultPorts are what a URL without a port means.
var defaultPorts = map[string]string{schemeHTTP: "80", schemeHTTPS: "443"}

// origin is where a URL leads to, in the one form that is compared, looked up and recorded.
type origin struct {
	scheme string
	// host is a name in lower-case ASCII without a last dot, or an address without brackets.
	host string
	port string
}

// String is the host with its port: what messages and records have of a URL, whose path and query may be secret.
func (o origin) String() string { return net.JoinHostPort(o.host, o.port) }

// hostport is what goes into a URL and the Host header: browsers and servers leave a usual port out.
func (o origin) hostport() string {
	switch {
	case o.port != defaultPorts[o.scheme]:
		return o.String()
	case strings.Contains(o.host, ":"):
		return "[" + o.host + "]"
	default:
		return o.host
	}
}

// originOf reads where a URL leads to. Its errors quote nothing of the URL but the host.
func originOf(u *url.URL) (origin, error) {
	o := origin{scheme: u.Scheme, port: u.Port()}
	switch {
	case u.Scheme != schemeHTTP && u.Scheme != schemeHTTPS:
		return origin{}, errors.New("the scheme is neither http nor https")
	case u.Opaque != "" || u.Host == "":
		return origin{}, errors.New("it has no host")
	case u.User != nil:
		return origin{}, errors.New("it has a user or a password: send them in the header Authorization")
	}
	if o.port == "" {
		o.port = defaultPorts[o.scheme]
	}
	port, err := strconv.ParseUint(o.port, 10, 16)
	if err != nil || port == 0 {
		return origin{}, fmt.Errorf("there is no port %q", bounded(o.port))
	}
	o.port = strconv.FormatUint(port, 10)
	o.host, err = canonicalHost(u.Hostname())
	return o, err
}

// canonicalHost returns the one form of an address or a name.
func canonicalHost(host string) (string, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		if address.Zone() != "" {
			return "", fmt.Errorf("the address %q has a zone", bounded(host))
		}
		return address.String(), nil
	}
	name := strings.TrimSuffix(host, ".")
	if strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", fmt.Errorf("there is no host %q", bounded(host))
		}
		name = ascii
	}
	name = strings.ToLower(name)
	if !validName(name) {
		return "", fmt.Errorf("there is no host %q", bounded(host))
	}
	return name, nil
}

// validName says whether a name can be one of DNS, and of nothing else: some resolvers take 127.1 or 0x7f000001
// for an address, so a name whose last label is a number is none.
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

// refusesHost returns why an origin is not on the list, or "".
func (l Allowlist) refusesHost(o origin) string {
	for _, entry := range l.Hosts {
		if matchesHost(strings.ToLower(entry), o) {
			return ""
		}
	}
	want := o.host
	if strings.Contains(want, ":") {
		want = "[" + want + "]"
	}
	if o.port != defaultPorts[o.scheme] {
		want += ":" + o.port
	}
	return fmt.Sprintf("security.allowedHosts does not have %q", want)
}

// matchesHost compares an origin with an entry "host[:port]", "*.host[:port]".
func matchesHost(entry string, o origin) bool {
	host, port := entry, defaultPorts[o.scheme]
	if i := strings.LastIndexByte(entry, ':'); i > strings.LastIndexByte(entry, ']') {
		host, port = entry[:i], entry[i+1:]
	}
	if port != o.port {
		return false
	}
	if below, ok := strings.CutPrefix(host, "*"); ok {
		_, err := netip.ParseAddr(o.host)
		return err != nil && len(below) > 1 && len(o.host) > len(below) && strings.HasSuffix(o.host, below)
	}
	listed, err := canonicalHost(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil && listed == o.host
}
