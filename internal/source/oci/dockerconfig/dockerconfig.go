// SPDX-License-Identifier: Apache-2.0

// Package dockerconfig implements pull secrets: credentials in the format of Docker's configuration file, selected by
// registry and repository as the kubelet selects them.
package dockerconfig

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/k1s-io/k1s/internal/source/oci/hostname"
)

// maxEntries limits the registries of one Secret.
const maxEntries = 256

// Credential authenticates at a registry.
type Credential struct {
	Username, Password string
	// IdentityToken is an OAuth2 refresh token, and RegistryToken a bearer token.
	IdentityToken, RegistryToken string
}

// Keyring are credentials by the registries that they are for. Its zero value has none.
type Keyring struct{ entries []entry }

// entry is a key of a Docker configuration with its credential.
type entry struct {
	// host may have "*" in each of its labels. An empty port is only that of HTTPS or HTTP: another port can be another
	// server, of somebody else.
	host, port string
	// path is the beginning of the repository, or empty.
	path       string
	credential Credential
}

// auth is an entry of the Docker configuration file.
type auth struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	Auth          string `json:"auth"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

// Parse returns the credentials in the data of a Secret. The errors never contain any of the data.
func Parse(data map[string][]byte) (Keyring, error) {
	var auths map[string]auth
	if text, ok := data[corev1.DockerConfigJsonKey]; ok {
		var file struct {
			Auths map[string]auth `json:"auths"`
		}
		if json.Unmarshal(text, &file) != nil {
			return Keyring{}, fmt.Errorf("its key %s is not a Docker configuration in JSON", corev1.DockerConfigJsonKey)
		}
		auths = file.Auths
	} else if text, ok := data[corev1.DockerConfigKey]; ok {
		if json.Unmarshal(text, &auths) != nil {
			return Keyring{}, fmt.Errorf("its key %s is not a Docker configuration in JSON", corev1.DockerConfigKey)
		}
	} else {
		return Keyring{}, fmt.Errorf("it has neither the key %s nor %s", corev1.DockerConfigJsonKey, corev1.DockerConfigKey)
	}
	if len(auths) > maxEntries {
		return Keyring{}, fmt.Errorf("it has credentials for more than %d registries", maxEntries)
	}
	var k Keyring
	for _, key := range slices.Sorted(maps.Keys(auths)) { // in an order that is always the same
		a := auths[key]
		e, err := parseKey(key)
		if err != nil {
			return Keyring{}, err
		}
		if e.credential, err = a.credential(); err != nil {
			return Keyring{}, fmt.Errorf("its credential for the host %q cannot be read: %w", e.host, err)
		}
		k.entries = append(k.entries, e)
	}
	k.sort()
	return k, nil
}

// Join returns the credentials of several keyrings.
func Join(rings ...Keyring) Keyring {
	var k Keyring
	for _, r := range rings {
		k.entries = append(k.entries, r.entries...)
	}
	k.sort()
	return k
}

// sort puts the most specific entries first. The order of others stays.
func (k *Keyring) sort() {
	slices.SortStableFunc(k.entries, func(a, b entry) int {
		if d := len(b.path) - len(a.path); d != 0 {
			return d
		}
		if d := strings.Count(a.host, "*") - strings.Count(b.host, "*"); d != 0 {
			return d
		}
		return strings.Compare(a.host+a.port+a.path, b.host+b.port+b.path)
	})
}

// Find returns the credentials for a repository, the most specific first.
func (k Keyring) Find(registry, repository string) []Credential {
	host, port := splitHost(registry)
	var out []Credential
	for _, e := range k.entries {
		if e.matches(host, port, repository) && !slices.Contains(out, e.credential) {
			out = append(out, e.credential)
		}
	}
	return out
}

// minSecret is the length of the shortest secret that Redact finds. Shorter ones are part of ordinary words.
const minSecret = 4

// Redact replaces the secrets of the keyring in a text, which can be a response that repeats them.
func (k Keyring) Redact(text string) string {
	for _, e := range k.entries {
		c := e.credential
		basic := base64.StdEncoding.EncodeToString([]byte(c.Username + ":" + c.Password))
		for _, secret := range []string{c.Password, c.IdentityToken, c.RegistryToken, basic} {
			if len(secret) >= minSecret {
				text = strings.ReplaceAll(text, secret, "[redacted]")
			}
		}
	}
	return text
}

func (e entry) matches(host, port, repository string) bool {
	if e.port != port || !matchHost(e.host, host) {
		return false
	}
	rest, ok := strings.CutPrefix(repository, e.path)
	return ok && (e.path == "" || rest == "" || rest[0] == '/')
}

// matchHost compares host names label by label, so that "*" matches exactly one label.
func matchHost(pattern, host string) bool {
	patterns, labels := strings.Split(pattern, "."), strings.Split(host, ".")
	if len(patterns) != len(labels) {
		return false
	}
	for i := range patterns {
		if ok, err := path.Match(patterns[i], labels[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// parseKey parses a key such as "registry.example:5000/plugins", "*.example" or "https://index.docker.io/v1/".
func parseKey(key string) (entry, error) {
	text := key
	if !strings.HasPrefix(text, "https://") && !strings.HasPrefix(text, "http://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return entry{}, errors.New("one of its keys is not a registry") // the key can contain a password
	}
	host, port := splitHost(u.Host)
	prefix := strings.Trim(u.Path, "/")
	if version, rest, _ := strings.Cut(prefix, "/"); version == "v1" || version == "v2" { // of the API, not of a repository
		prefix = rest
	}
	return entry{host: host, port: port, path: prefix}, nil
}

func splitHost(hostport string) (host, port string) {
	if host, port, err := net.SplitHostPort(hostport); err == nil {
		return normalHost(host), port
	}
	return normalHost(strings.Trim(hostport, "[]")), "" // IPv6 without a port
}

// normalHost returns the spelling of a host that references have, and a pattern in lower case.
func normalHost(host string) string {
	if name, err := hostname.Canonical(host); err == nil {
		return name
	}
	return strings.ToLower(host)
}

func (a auth) credential() (Credential, error) {
	c := Credential{Username: a.Username, Password: a.Password, IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken}
	if a.Auth == "" {
		return c, nil
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(a.Auth))
	if err != nil {
		return c, errors.New("auth is not base64")
	}
	user, password, ok := strings.Cut(string(text), ":")
	if !ok {
		return c, errors.New("auth is not USER:PASSWORD in base64")
	}
	c.Username, c.Password = user, strings.TrimRight(password, "\x00")
	return c, nil
}
