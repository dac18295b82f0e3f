// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/retry"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/oci/dockerconfig"
	"github.com/k1s-io/k1s/internal/source/oci/hostname"
)

const (
	userAgent = "k1s"
	// A request is repeated twice within a pull. Further attempts are new pulls, with growing delays.
	maxRetries         = 2
	handshakeTimeout   = 10 * time.Second
	maxReferrersPages  = 8
	maxHeaderBytes     = 64 << 10
	idleConnections    = 4
	maxMirrorsOfPrefix = 8
)

// Registries are the operator's rules for registries.
type Registries struct {
	// Allowed are patterns of registries with repositories, such as "registry.example/plugins/*" or "*.example/*", where
	// "*" matches any text of the registry or of the repository. Without a "/", all repositories match. Empty allows all.
	// ParsePattern returns them.
	Allowed []string
	// Mirrors are tried before a registry, in their order.
	Mirrors []Mirror
	// Required are the signatures that the operator requires, whatever a plugin's spec says.
	Required []Required
	// RootCAs returns the CAs that are trusted for registries, before each pull, because CAs are renewed; nil means those
	// of the system.
	RootCAs func() (*x509.CertPool, error)
	// Dial connects to an address that the operator may connect to. It returns ErrAddress for others.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Proxy returns the proxy for a URL, or nil; a nil function means no proxy.
	Proxy func(*url.URL) (*url.URL, error)
	// Check returns ErrAddress for hosts that a proxy must not be asked for; nil means that it can be asked for all.
	Check func(ctx context.Context, host string) error

	timeouts timeouts
}

// Mirror replaces a prefix of references. ParseMirror returns it.
type Mirror struct {
	// Prefix is a registry, with a beginning of the repository if it has a "/".
	Prefix string
	// Target replaces the prefix. It begins with "http://" if the mirror serves plain HTTP.
	Target string
}

// ParseMirror parses PREFIX=TARGET.
func ParseMirror(text string) (Mirror, error) {
	prefix, target, ok := strings.Cut(text, "=")
	if !ok {
		return Mirror{}, fmt.Errorf("%q is not like docker.io=mirror.example/docker.io or registry.example=http://10.0.0.1:5000", text)
	}
	prefix, err := ParsePrefix(prefix)
	if err != nil {
		return Mirror{}, err
	}
	target, plain := strings.CutPrefix(strings.TrimPrefix(target, "https://"), "http://")
	host, repository, several := strings.Cut(strings.TrimSuffix(target, "/"), "/")
	at, err := hostname.Registry(host)
	if err != nil || several && (registry.Reference{Repository: repository}).ValidateRepository() != nil {
		return Mirror{}, fmt.Errorf("%q is not like mirror.example/docker.io or http://10.0.0.1:5000", target)
	}
	m := Mirror{Prefix: prefix, Target: strings.TrimSuffix(at, ":"+defaultPort(plain))}
	if several {
		m.Target += "/" + repository
	}
	if plain {
		m.Target = "http://" + m.Target
	}
	return m, nil
}

// check returns an error if the operator does not pull from the reference's repository.
func (r Registries) check(ref Reference, insecure bool) error {
	for _, name := range names(ref.Name(), insecure) {
		if slices.ContainsFunc(r.Allowed, func(pattern string) bool { return matchName(pattern, name) }) {
			return nil
		}
	}
	if len(r.Allowed) == 0 {
		return nil
	}
	return plugin.Reject(pluginsv1alpha1.ReasonRegistryNotAllowed,
		"the operator does not pull from %s: use one of %s, or ask the administrator to add it to the operator's flag --allowed-registries",
		ref.Name(), strings.Join(r.Allowed, ", "))
}

// matchName matches a pattern with a registry and a repository. A "*" in the part for the registry does not match a "/":
// otherwise, everybody could make a repository whose name contains that of a registry.
func matchName(pattern, name string) bool {
	wantRegistry, wantRepository, both := strings.Cut(pattern, "/")
	registry, repository, _ := strings.Cut(name, "/")
	return matchText(wantRegistry, registry) && (!both || matchText(wantRepository, repository))
}

// matchText matches a pattern in which "*" is any text.
func matchText(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// place is where a repository, or its mirror, is.
type place struct {
	registry, repository string
	plainHTTP            bool
}

// name returns the registry and the repository.
func (p place) name() string { return p.registry + "/" + p.repository }

// credentials returns the credentials for the place. A key of a pull secret can have the default port.
func (p place) credentials(ring dockerconfig.Keyring) (out []dockerconfig.Credential) {
	for _, name := range names(p.name(), p.plainHTTP) {
		at, repository, _ := strings.Cut(name, "/")
		for _, c := range ring.Find(at, repository) {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// places returns the mirrors of a repository and, as the last one, the repository.
func (r Registries) places(ref Reference, insecure bool) []place {
	var out []place
	for _, m := range r.Mirrors {
		if p, ok := m.place(ref, insecure); ok && len(out) < maxMirrorsOfPrefix {
			out = append(out, p)
		}
	}
	return append(out, place{registry: ref.Registry, repository: ref.Repository, plainHTTP: insecure})
}

// place returns where the mirror has a repository. It reports whether it has it.
func (m Mirror) place(ref Reference, insecure bool) (place, bool) {
	for _, name := range names(ref.Name(), insecure) {
		rest, ok := below(name, m.Prefix)
		if !ok {
			continue
		}
		target, plain := strings.CutPrefix(m.Target, "http://")
		host, repository, _ := strings.Cut(target+rest, "/")
		if repository == "" { // the prefix is the whole name, and the target only a registry
			repository = ref.Repository
		}
		return place{registry: host, repository: path.Clean(repository), plainHTTP: plain}, true
	}
	return place{}, false
}

// access is how a namespace reaches a repository.
type access struct {
	insecure bool
	// roots are the CAs of the plugin's spec in addition to those of the operator, in PEM, or empty.
	roots   []byte
	keyring dockerconfig.Keyring
	// throttled is notified of how long a registry asks to wait, from now on.
	throttled func(time.Duration)
	now       func() time.Time
}

// origin names a registry or a repository as it is reached: plain HTTP can be another server than HTTPS.
func (a access) origin(name string) string {
	if a.insecure {
		return "http://" + name
	}
	return name
}

// open returns a repository that uses one of the credentials for it, and for its mirrors the first one that each accepts.
func (r Registries) open(ref Reference, a access, credential dockerconfig.Credential) (*repository, error) {
	transport, err := r.transport(a.roots)
	if err != nil {
		return nil, err
	}
	throttle := throttle{base: r.proxied(transport), notify: a.throttled, now: a.now}
	client := &http.Client{Transport: &retry.Transport{
		Base: throttle,
		Policy: func() retry.Policy {
			return &retry.GenericPolicy{
				Retryable: throttle.isRepeated, Backoff: retry.DefaultBackoff, MinWait: r.timeouts.minWait, MaxWait: r.timeouts.maxWait, MaxRetry: maxRetries,
			}
		},
	}}
	places := r.places(ref, a.insecure)
	out := &repository{mirrors: len(places) - 1, timeouts: r.timeouts, close: transport.CloseIdleConnections}
	for i, p := range places {
		at := registry.Reference{Registry: p.registry, Repository: p.repository}
		if err := at.Validate(); err != nil {
			return nil, fmt.Errorf("mirror: %w", err)
		}
		use := []dockerconfig.Credential{credential}
		if i < out.mirrors { // it has its own credentials
			use = p.credentials(a.keyring)
		}
		out.credentials = append(out.credentials, len(use))
		if len(use) == 0 {
			use = []dockerconfig.Credential{{}}
		}
		out.remotes = append(out.remotes, &remote.Repository{
			Reference: at, PlainHTTP: p.plainHTTP, MaxMetadataBytes: maxMetadata, ReferrerListMaxPages: maxReferrersPages,
			Client: clientWith(client, at.Host(), use...),
		})
	}
	return out, nil
}

func (r Registries) transport(extra []byte) (*http.Transport, error) {
	var roots *x509.CertPool
	if r.RootCAs != nil {
		var err error
		if roots, err = r.RootCAs(); err != nil {
			return nil, err
		}
	}
	if len(extra) > 0 {
		if roots == nil {
			system, err := x509.SystemCertPool()
			if err != nil {
				return nil, fmt.Errorf("read the system's root certificates: %w", err)
			}
			roots = system
		} else {
			roots = roots.Clone()
		}
		if !roots.AppendCertsFromPEM(extra) {
			return nil, plugin.Reject(pluginsv1alpha1.ReasonCABundleInvalid,
				"spec.source.oci.caBundle has no certificate in PEM: store the CA certificate of the registry there")
		}
	}
	return &http.Transport{
		DialContext:         r.Dial,
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: handshakeTimeout, ResponseHeaderTimeout: r.timeouts.header,
		MaxResponseHeaderBytes: maxHeaderBytes, MaxIdleConnsPerHost: idleConnections, ForceAttemptHTTP2: true,
		// The content is verified as it was stored, so the transport must not decompress it.
		DisableCompression: true,
	}, nil
}
