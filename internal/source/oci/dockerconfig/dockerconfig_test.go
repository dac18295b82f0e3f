// SPDX-License-Identifier: Apache-2.0

package dockerconfig

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// file returns the data of a Secret with a Docker configuration.
func file(text string) map[string][]byte {
	return map[string][]byte{corev1.DockerConfigJsonKey: []byte(text)}
}

// keys returns a Docker configuration that has each key with the key as the user.
func keys(keys ...string) map[string][]byte {
	all := map[string]auth{}
	for _, key := range keys {
		all[key] = auth{Username: key, Password: "secret"}
	}
	text, _ := json.Marshal(map[string]any{"auths": all})
	return file(string(text))
}

// users parses a Secret and returns the users for a repository.
func users(t *testing.T, data map[string][]byte, registry, repository string) []string {
	t.Helper()
	ring, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range ring.Find(registry, repository) {
		out = append(out, c.Username)
	}
	return out
}

func TestKeyring_find(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		key, registry, repository string
		want                      bool
	}{
		{"registry.example", "registry.example", "plugins/one", true},
		{"registry.example", "registry.example.evil", "plugins/one", false},
		{"registry.example", "evil.registry.example", "plugins/one", false},
		{"https://registry.example", "registry.example", "one", true},
		{"http://registry.example/", "registry.example", "one", true},
		{"registry.example/v1/", "registry.example", "one", true},
		{"https://registry.example/v2/", "registry.example", "one", true},
		{"registry.example/v2/plugins", "registry.example", "plugins/one", true},
		{"registry.example/v2/plugins", "registry.example", "one", false},
		// As in the kubelet, a credential without a port is not for a server at another port of the host.
		{"registry.example", "registry.example:5000", "one", false},
		{"registry.example:5000", "registry.example:5000", "one", true},
		{"registry.example:5000", "registry.example:5001", "one", false},
		{"registry.example:5000", "registry.example", "one", false},
		{"registry.example/plugins", "registry.example", "plugins/one", true},
		{"registry.example/plugins", "registry.example", "plugins", true},
		{"registry.example/plugins", "registry.example", "plugins-of-others/one", false},
		{"registry.example/plugins", "registry.example", "one", false},
		{"*.example", "registry.example", "one", true},
		{"*.example", "a.registry.example", "one", false},
		{"*.example", "example", "one", false},
		{"registry-*.example", "registry-1.example", "one", true},
		{"*.*.example", "a.registry.example", "one", true},
		{"*", "registry.example", "one", false},
		{"*.example:5000/plugins", "registry.example:5000", "plugins/one", true},
		{"127.0.0.1:5000", "127.0.0.1:5000", "one", true},
		{"[::1]:5000", "[::1]:5000", "one", true},
		{"[::1]", "[::1]", "one", true},
		{"https://index.docker.io/v1/", "docker.io", "library/one", true},
		{"docker.io", "index.docker.io", "library/one", true},
		{"registry-1.docker.io", "docker.io", "library/one", true},
		{"docker.io/library", "docker.io", "other/one", false},
		{"REGISTRY.example.", "registry.example", "one", true},
		{"*.EXAMPLE", "registry.example", "one", true},
		{"Index.Docker.io:5000", "docker.io:5000", "one", true},
		{"docker.io", "evil.docker.io", "one", false},
	} {
		if got := len(users(t, keys(tc.key), tc.registry, tc.repository)) == 1; got != tc.want {
			t.Errorf("%q for %s/%s: got %t", tc.key, tc.registry, tc.repository, got)
		}
	}
}

// TestKeyring_order shows that the most specific credential is first, and that the order of equal ones is always the
// same: a plugin's pull starts anew when its keyring changes.
func TestKeyring_order(t *testing.T) {
	t.Parallel()
	data := keys("registry.example", "https://registry.example", "http://registry.example/v1/", "registry.example/v2/", "*.example", "registry.example/plugins", "registry.*")
	want := users(t, data, "registry.example", "plugins/one")
	if len(want) != 7 || want[0] != "registry.example/plugins" || !slices.Contains(want[5:], "*.example") {
		t.Errorf("got %q", want)
	}
	for range 50 {
		if got := users(t, data, "registry.example", "plugins/one"); !slices.Equal(got, want) {
			t.Fatalf("got %q, and before %q", got, want)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	basic := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, tc := range map[string]struct {
		data map[string][]byte
		want Credential
	}{
		"user and password": {file(`{"auths":{"r.example":{"username":"ada","password":"a:b"}}}`), Credential{Username: "ada", Password: "a:b"}},
		"auth":              {file(`{"auths":{"r.example":{"auth":"` + basic("ada:a:b") + `"}}}`), Credential{Username: "ada", Password: "a:b"}},
		"auth wins":         {file(`{"auths":{"r.example":{"username":"x","password":"y","auth":"` + basic("ada:b") + `"}}}`), Credential{Username: "ada", Password: "b"}},
		"auth with zeros":   {file(`{"auths":{"r.example":{"auth":"` + basic("ada:b\x00\x00") + `"}}}`), Credential{Username: "ada", Password: "b"}},
		"identity token":    {file(`{"auths":{"r.example":{"auth":"` + basic("<token>:") + `","identitytoken":"t"}}}`), Credential{Username: "<token>", IdentityToken: "t"}},
		"registry token":    {file(`{"auths":{"r.example":{"registrytoken":"t"}}}`), Credential{RegistryToken: "t"}},
		"dockercfg":         {map[string][]byte{corev1.DockerConfigKey: []byte(`{"r.example":{"username":"ada","password":"b","email":"x"}}`)}, Credential{Username: "ada", Password: "b"}},
		"other fields":      {file(`{"credsStore":"x","auths":{"r.example":{"username":"ada","password":"b"}},"HttpHeaders":{}}`), Credential{Username: "ada", Password: "b"}},
	} {
		ring, err := Parse(tc.data)
		if got := ring.Find("r.example", "one"); err != nil || len(got) != 1 || got[0] != tc.want {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

// TestParse_invalid shows that errors do not reveal what the Secret has.
func TestParse_invalid(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	many := make([]string, maxEntries+1)
	for i := range many {
		many[i] = fmt.Sprintf("r%d.example", i)
	}
	for name, data := range map[string]map[string][]byte{
		"no key":                 {"password": []byte(secret)},
		"nothing":                {},
		"no JSON":                file(secret),
		"truncated":              file(`{"auths":{"r.example":{"password":"` + secret),
		"wrong type":             file(`{"auths":"` + secret + `"}`),
		"password of a number":   file(`{"auths":{"r.example":{"password":1234567}}}`),
		"auth without base64":    file(`{"auths":{"r.example":{"auth":"` + secret + `!"}}}`),
		"auth without a colon":   file(`{"auths":{"r.example":{"auth":"` + base64.StdEncoding.EncodeToString([]byte(secret)) + `"}}}`),
		"key that is no host":    file(`{"auths":{"` + secret + ` ` + secret + `":{}}}`),
		"key with a password":    file(`{"auths":{"https://ada:` + secret + `@r.example":{"auth":"!"}}}`),
		"empty key":              file(`{"auths":{"":{"password":"` + secret + `"}}}`),
		"too many":               keys(many...),
		"dockercfg without JSON": {corev1.DockerConfigKey: []byte(secret)},
	} {
		ring, err := Parse(data)
		if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "1234567") || len(ring.entries) > 0 {
			t.Errorf("%s: got %v, %v", name, ring, err)
		}
	}
}

func TestKeyring_redact(t *testing.T) {
	t.Parallel()
	ring, err := Parse(file(`{"auths":{"r.example":{"username":"ada","password":"hunter2","identitytoken":"refresh","registrytoken":"bearer"},"s.example":{"username":"a","password":"b"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	const text = "a b ada hunter2, refresh, bearer, YWRhOmh1bnRlcjI="
	if got, want := ring.Redact(text), "a b ada [redacted], [redacted], [redacted], [redacted]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (Keyring{}).Redact(text); got != text {
		t.Errorf("without secrets: got %q", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"auths":{"r.example":{"auth":"YTpi"}}}`), "r.example", "one")
	f.Add([]byte(`{"auths":{"*.[":{}}}`), "r.[", "one")
	f.Add([]byte(`{"auths":{"https://index.docker.io/v1/":{"identitytoken":"x"}}}`), "docker.io", "one")
	f.Fuzz(func(t *testing.T, text []byte, registry, repository string) {
		for _, key := range []string{corev1.DockerConfigJsonKey, corev1.DockerConfigKey} {
			ring, err := Parse(map[string][]byte{key: text})
			if err != nil {
				continue
			}
			first := ring.Find(registry, repository)
			again, err := Parse(map[string][]byte{key: text})
			if err != nil || !slices.Equal(again.Find(registry, repository), first) {
				t.Errorf("the second time: %v", err)
			}
		}
	})
}
