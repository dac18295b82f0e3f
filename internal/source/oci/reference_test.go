// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"errors"
	"strings"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

const testDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestParseReference(t *testing.T) {
	t.Parallel()
	const d = testDigest
	for text, want := range map[string]Reference{
		"registry.example/one":                             {"registry.example", "one", "latest", ""},
		"registry.example/plugins/one:v1.2.0":              {"registry.example", "plugins/one", "v1.2.0", ""},
		"registry.example:5000/one:v1":                     {"registry.example:5000", "one", "v1", ""},
		"localhost/one":                                    {"localhost", "one", "latest", ""},
		"localhost:5000/one":                               {"localhost:5000", "one", "latest", ""},
		"10.0.0.1/one":                                     {"10.0.0.1", "one", "latest", ""},
		"10.0.0.1:5000/one:v1":                             {"10.0.0.1:5000", "one", "v1", ""},
		"[::1]:5000/one:v1":                                {"[::1]:5000", "one", "v1", ""},
		"[2001:db8::1]/one":                                {"[2001:db8::1]", "one", "latest", ""},
		"registry.example/one@" + d:                        {"registry.example", "one", "", d},
		"registry.example:5000/one:v1@" + d:                {"registry.example:5000", "one", "v1", d},
		"registry.example/one:" + strings.Repeat("a", 128): {"registry.example", "one", strings.Repeat("a", 128), ""},
		"registry.example/one:V1":                          {"registry.example", "one", "V1", ""},
		"docker.io/library/one":                            {"docker.io", "library/one", "latest", ""},
	} {
		got, err := ParseReference(text, false)
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
		if again, err := ParseReference(got.String(), false); err != nil || again != got {
			t.Errorf("%q: its text %q is parsed as %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{
		"", " ", "/", "one", "one:v1", "plugins/one", "plugins/one:v1", "registry.example", "registry.example/", "registry.example/:v1", "/one",
		"registry.example/One", "registry.example/one:", "registry.example/one:v 1", "registry.example/one:-v1", "registry.example/one:" + strings.Repeat("a", 129),
		"registry.example/one@", "registry.example/one@sha256:abc", "registry.example/one@" + strings.ToUpper(d), "registry.example/one@" + d + "@" + d,
		"registry.example/one@sha512:" + strings.Repeat("a", 128), "registry.example/one:v1@v2", "registry.example:port/one", "registry.example/../one", "registry.example//one",
		"registry.example:/one", "registry.example:0/one", "registry..example/one", "registry.example../one", "010.0.0.1/one", "１０.0.0.1/one", "0x7f.1/one", "*.example/one",
		"https://registry.example/one", "oci://registry.example/one", "ada:secret@registry.example/one", "registry.example/one?x=y", "registry.example/one#x",
		"registry.example%2fone/two", "[::1/one", "::1/one", "registry.example/" + strings.Repeat("/", 1024), "registry.example/one\n", "registry.example/\x00",
	} {
		got, err := ParseReference(text, false)
		if load := (*plugin.LoadError)(nil); !errors.As(err, &load) || load.Reason != pluginsv1alpha1.ReasonInvalidReference || got != (Reference{}) {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
	if got, err := ParseReference("registry.example/"+strings.Repeat("a", 1024), false); err != nil || len(got.Repository) != 1024 {
		t.Errorf("a long name: got %v", err)
	}
}

func FuzzParseReference(f *testing.F) {
	for _, text := range []string{"registry.example/one", "[::1]:5000/one:v1", "localhost/a@" + testDigest, "a.b/c:d@" + testDigest, "x@y@z", "a:b/c"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseReference(text, false)
		if err != nil {
			return
		}
		if again, err := ParseReference(got.String(), false); err != nil || again != got {
			t.Errorf("%q is parsed as %+v, whose text as %+v, %v", text, got, again, err)
		}
		if got.Tag == "" && got.Digest == "" || got.Registry == "" || strings.ContainsAny(got.String(), " \n?#\x00") {
			t.Errorf("%q is parsed as %+v", text, got)
		}
	})
}
