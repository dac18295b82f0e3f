// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"fmt"
	"slices"
	"testing"
)

// TestRequired_spelling shows that no spelling of a registry, and no mirror, escapes the operator's policies.
func TestRequired_spelling(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		policy, mirror, reference string
		insecure, want            bool
	}{
		{"registry.example/plugins", "", "registry.example/plugins/x", false, true},
		{"registry.example/plugins", "", "registry.example/plugins", false, true},
		{"registry.example/plugins", "", "registry.example/plugins-of-others/x", false, false},
		{"registry.example/plugins", "", "registry.example/other/x", false, false},
		{"registry.example/plugins", "", "registry.example.evil/plugins/x", false, false},
		{"registry.example/plugins", "", "registry.example:5000/plugins/x", false, false},
		{"registry.example/plugins/", "", "registry.example/plugins/x", false, true},
		{"registry.example", "", "registry.example/x", false, true},
		// Spellings of the reference.
		{"registry.example/plugins", "", "REGISTRY.example/plugins/x", false, true},
		{"registry.example/plugins", "", "registry.example:443/plugins/x", false, true},
		{"registry.example/plugins", "", "registry.example:0443/plugins/x", false, true},
		{"registry.example/plugins", "", "ｒegistry.example/plugins/x", false, true},
		{"registry.example/plugins", "", "registry。example/plugins/x", false, true},
		{"registry.example/plugins", "", "registry.example./plugins/x", false, true},
		{"registry.example/plugins", "", "Registry.Example.:443/plugins/x", false, true},
		{"registry.example/plugins", "", "registry.example/plugins/x", true, true},
		{"registry.example/plugins", "", "registry.example:80/plugins/x", true, true},
		{"registry.example/plugins", "", "registry.example:443/plugins/x", true, true},
		{"10.0.0.1/plugins", "", "[::ffff:10.0.0.1]/plugins/x", false, true},
		{"[::1]/plugins", "", "[0:0:0:0:0:0:0:1]:443/plugins/x", false, true},
		{"docker.io/acme", "", "registry-1.docker.io/acme/x", false, true},
		{"docker.io/acme", "", "INDEX.docker.io:443/acme/x", false, true},
		{"registry-1.docker.io/acme", "", "docker.io/acme/x", false, true},
		// Spellings of the policy.
		{"REGISTRY.example./plugins", "", "registry.example/plugins/x", false, true},
		{"registry.example:443/plugins", "", "registry.example/plugins/x", false, true},
		{"registry.example:80/plugins", "", "registry.example/plugins/x", true, true},
		{"registry.example:5000/plugins", "", "registry.example:5000/plugins/x", true, true},
		// What is pulled from a mirror, and what a mirror mirrors.
		{"mirror.example", "docker.io=mirror.example/docker.io", "docker.io/acme/x", false, true},
		{"mirror.example/docker.io/acme", "docker.io=mirror.example/docker.io", "docker.io/acme/x", false, true},
		{"mirror.example/quay.io", "docker.io=mirror.example/docker.io", "docker.io/acme/x", false, false},
		{"docker.io/acme", "docker.io=mirror.example/docker.io", "mirror.example/docker.io/acme/x", false, true},
		{"docker.io/acme", "docker.io=http://mirror.example/docker.io", "MIRROR.example:80/docker.io/acme/x", true, true},
		{"docker.io/acme", "docker.io=mirror.example/docker.io", "mirror.example/docker.io/other/x", false, false},
		{"docker.io/acme", "docker.io=mirror.example/docker.io", "mirror.example/docker.io-of-others/acme/x", false, false},
		{"docker.io/acme", "docker.io=mirror.example", "mirror.example/acme/x", false, true},
		{"docker.io/acme/x", "docker.io/acme/x=mirror.example", "mirror.example/acme/x", false, true},
		{"docker.io/acme/x", "docker.io/acme=mirror.example/x", "mirror.example/x/x", false, true},
	} {
		name := fmt.Sprintf("%q with the mirror %q for %q (insecure: %t)", tc.policy, tc.mirror, tc.reference, tc.insecure)
		prefix, err := ParsePrefix(tc.policy)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r := Registries{Required: []Required{{Prefix: prefix}}}
		if tc.mirror != "" {
			mirror, err := ParseMirror(tc.mirror)
			if err != nil {
				t.Fatal(err)
			}
			r.Mirrors = []Mirror{mirror}
		}
		ref, err := ParseReference(tc.reference+":v1", tc.insecure)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := len(r.requiredFor(ref, tc.insecure)) == 1; got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// TestRegistries_allowedSpelling shows that --allowed-registries decides on the server, however a reference spells it.
func TestRegistries_allowedSpelling(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		pattern, reference string
		insecure, want     bool
	}{
		{"registry.example/*", "REGISTRY.example.:443/x", false, true},
		{"REGISTRY.example/*", "registry.example/x", false, true},
		{"*.EXAMPLE/*", "Registry.example/x", false, true},
		{"registry.example:443/*", "registry.example/x", false, true},
		{"registry.example:443/*", "registry.example/x", true, false},
		{"registry.example:80/*", "registry.example:80/x", true, true},
		{"registry.example:80/*", "registry.example/x", false, false},
		{"registry.example/*", "registry.example:80/x", false, false},
		{"index.docker.io/acme/*", "docker.io/acme/x", false, true},
		{"docker.io/acme/*", "registry-1.docker.io/acme/x", false, true},
		{"docker.io/acme/*", "registry-1.docker.io/other/x", false, false},
		{"*", "registry.example:443/x", true, true},
	} {
		pattern, err := ParsePattern(tc.pattern)
		if err != nil {
			t.Errorf("%q: %v", tc.pattern, err)
		}
		ref, err := ParseReference(tc.reference, tc.insecure)
		if err != nil {
			t.Errorf("%q: %v", tc.reference, err)
		}
		if err := (Registries{Allowed: []string{pattern}}).check(ref, tc.insecure); (err == nil) != tc.want {
			t.Errorf("%q allows %q (insecure: %t): got %v", tc.pattern, tc.reference, tc.insecure, err)
		}
	}
	for _, text := range []string{"https://registry.example/*", "registry.example/one:v1", "registry.example/One", "registry/one", "ｒegistry.*/one", "registry.example:/*", "a_b", ""} {
		if got, err := ParsePattern(text); err == nil {
			t.Errorf("%q is parsed as %q", text, got)
		}
	}
}

// TestPlace_credentials shows that a pull secret can name the default port.
func TestPlace_credentials(t *testing.T) {
	t.Parallel()
	for key, want := range map[string][]bool{ // with HTTPS, and with plain HTTP
		"registry.example": {true, true}, "Registry.example": {true, true}, "registry.example:443": {true, false}, "registry.example:80": {false, true}, "registry.example:5000": {false, false},
	} {
		r := request("n", "registry.example/one", as(key, "ada:secret"))
		var got []bool
		for _, plain := range []bool{false, true} {
			got = append(got, len(place{registry: "registry.example", repository: "one", plainHTTP: plain}.credentials(r.Keyring)) == 1)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", key, got, want)
		}
	}
}
