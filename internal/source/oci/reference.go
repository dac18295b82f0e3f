// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/registry"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/oci/hostname"
)

// latest is the tag of a reference that has neither a tag nor a digest, as in Kubernetes.
const latest = "latest"

// Reference names an artifact: a registry, a repository there, and a tag, a digest or both.
type Reference struct {
	// Registry is a host with an optional port, such as "registry.example:5000", as package hostname spells it.
	Registry string
	// Repository is a path, such as "plugins/item-validator".
	Repository string
	// Tag is empty if the reference has only a digest.
	Tag string
	// Digest is empty if the reference has none.
	Digest digest.Digest
}

// ParseReference parses spec.source.oci.reference. Its registry gets its one spelling, without the default port of HTTPS, or
// of plain HTTP: policies and permissions are for a server, however a reference spells its name. Errors are *plugin.LoadError.
func ParseReference(text string, plainHTTP bool) (Reference, error) {
	rest, pinned, hasDigest := strings.Cut(text, "@")
	parsed, err := registry.ParseReference(rest)
	if err != nil {
		return Reference{}, invalidReference(text, err.Error())
	}
	if !isRegistry(parsed.Registry) {
		return Reference{}, invalidReference(text, "its first part, "+parsed.Registry+", is not a registry")
	}
	if strings.HasSuffix(rest, ":") {
		return Reference{}, invalidReference(text, "its tag is empty")
	}
	at, err := hostname.Registry(parsed.Registry)
	if err != nil {
		return Reference{}, invalidReference(text, err.Error())
	}
	r := Reference{Registry: strings.TrimSuffix(at, ":"+defaultPort(plainHTTP)), Repository: parsed.Repository, Tag: parsed.Reference}
	if r.Tag != "" {
		if err := parsed.ValidateReferenceAsTag(); err != nil {
			return Reference{}, invalidReference(text, err.Error())
		}
	}
	if hasDigest {
		if r.Digest, err = digest.Parse(pinned); err != nil || r.Digest.Algorithm() != digest.SHA256 {
			return Reference{}, invalidReference(text, "after @ there must be sha256: and 64 hexadecimal digits")
		}
	} else {
		r.Tag = cmp.Or(r.Tag, latest)
	}
	return r, nil
}

// isRegistry reports whether the first part of a reference is a registry, and not a part of a repository.
func isRegistry(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r == '.' || r == ':' || r >= utf8.RuneSelf }) || strings.EqualFold(text, "localhost")
}

func invalidReference(text, problem string) error {
	return plugin.Reject(pluginsv1alpha1.ReasonInvalidReference,
		"spec.source.oci.reference %q cannot be parsed, %s: write it like registry.example/plugins/item-validator:v1.2.0", text, problem)
}

// String returns the reference with all of its parts.
func (r Reference) String() string {
	s := r.Name()
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest.String()
	}
	return s
}

// Name returns the registry and the repository.
func (r Reference) Name() string { return r.Registry + "/" + r.Repository }
