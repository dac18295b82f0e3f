// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"fmt"
	"strings"

	"oras.land/oras-go/v2/registry"

	"github.com/k1s-io/k1s/internal/source/oci/hostname"
)

const portHTTP, portHTTPS = "80", "443"

// defaultPort returns the port of a registry whose name has none.
func defaultPort(plainHTTP bool) string {
	if plainHTTP {
		return portHTTP
	}
	return portHTTPS
}

// ParsePrefix parses a registry, or a registry with the beginning of a repository, such as "registry.example/plugins". It
// returns it in the spelling of references, and an error for what could be no beginning of a reference.
func ParsePrefix(text string) (string, error) {
	const like = "write it like registry.example/plugins, which includes all repositories below it"
	at, repository, below := strings.Cut(strings.TrimSuffix(text, "/"), "/")
	switch {
	case strings.Contains(text, "://"):
		return "", fmt.Errorf("%q has a scheme: %s", text, like)
	case strings.Contains(text, "*"):
		return "", fmt.Errorf("%q has a \"*\": %s", text, like)
	case strings.ContainsAny(repository, ":@"):
		return "", fmt.Errorf("%q has a tag or a digest: %s", text, like)
	case !isRegistry(at):
		return "", fmt.Errorf("%q does not begin with a registry: %s", text, like)
	case below && (registry.Reference{Repository: repository}).ValidateRepository() != nil:
		return "", fmt.Errorf("%q has an invalid repository: %s", text, like)
	}
	at, err := hostname.Registry(at)
	if err != nil {
		return "", fmt.Errorf("%q: %w: %s", text, err, like)
	}
	if below {
		at += "/" + repository
	}
	return at, nil
}

// ParsePattern parses a pattern of Registries.Allowed. It returns it in the spelling of references, and an error for what
// could match no reference.
func ParsePattern(text string) (string, error) {
	const like = `write it like registry.example/plugins/* or *.example/*`
	at, repository, below := strings.Cut(text, "/")
	switch {
	case strings.Contains(text, "://"):
		return "", fmt.Errorf("%q has a scheme: %s", text, like)
	case strings.ContainsAny(repository, ":@"):
		return "", fmt.Errorf("%q has a tag or a digest: %s", text, like)
	case repository != strings.ToLower(repository):
		return "", fmt.Errorf("%q has upper-case letters in the repository, which no repository has: %s", text, like)
	}
	if strings.Contains(at, "*") {
		if at = strings.ToLower(at); strings.Trim(at, "abcdefghijklmnopqrstuvwxyz0123456789-_.:[]*") != "" {
			return "", fmt.Errorf("%q has a character that no host name has: %s", text, like)
		}
	} else {
		if !isRegistry(at) {
			return "", fmt.Errorf("%q does not begin with a registry: %s", text, like)
		}
		var err error
		if at, err = hostname.Registry(at); err != nil {
			return "", fmt.Errorf("%q: %w: %s", text, err, like)
		}
	}
	if below {
		at += "/" + repository
	}
	return at, nil
}

// names returns a name as it is written without and with the default port, which a prefix or a pattern can have.
func names(name string, plainHTTP bool) []string {
	at, repository, _ := strings.Cut(name, "/")
	if hasPort(at) {
		return []string{name}
	}
	return []string{name, at + ":" + defaultPort(plainHTTP) + "/" + repository}
}

func hasPort(at string) bool { return strings.LastIndexByte(at, ':') > strings.LastIndexByte(at, ']') }

// below returns what a name has after a prefix. It reports whether the prefix matches, which must end where a part of the
// name ends.
func below(name, prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(name, prefix)
	return rest, ok && (rest == "" || rest[0] == '/')
}
