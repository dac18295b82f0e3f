// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"errors"
	"fmt"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

func TestRegistries_allowed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		pattern, name string
		want          bool
	}{
		{"registry.example/plugins/one", "registry.example/plugins/one", true},
		{"registry.example/plugins/one", "registry.example/plugins/two", false},
		{"registry.example/plugins/*", "registry.example/plugins/one", true},
		{"registry.example/plugins/*", "registry.example/plugins/deep/one", true},
		{"registry.example/plugins/*", "registry.example/plugin", false},
		{"registry.example/plugins/*", "registry.example.evil.example/plugins/one", false},
		{"registry.example/*", "registry.example:5000/one", false},
		{"registry.example:5000/*", "registry.example:5000/one", true},
		{"*.example/*", "registry.example/one", true},
		{"*.example/*", "a.b.example/one", true},
		{"*.example/*", "example/one", false},
		{"*.example/*", "evil.test/registry.example/one", false}, // "*" in the registry is no part of the repository
		{"*.example/*/one", "evil.test/registry.example/x/one", false},
		{"registry.*/one", "registry.example/one", true},
		{"registry.*/one", "registry.example/two/one", false},
		{"registry.example/*-stable/*", "registry.example/a-stable/one", true},
		{"registry.example/*-stable/*", "registry.example/stable/one", false},
		{"registry.example/a*a", "registry.example/a", false}, // the two ends do not overlap
		{"*/*", "registry.example/one", true},
		{"*", "registry.example/one", true},
		{"registry.example", "registry.example/one", true},
		{"registry.example", "registry.example.evil.test/one", false},
		{"", "registry.example/one", false},
	} {
		if got := matchName(tc.pattern, tc.name); got != tc.want {
			t.Errorf("%q matches %q: got %t, want %t", tc.pattern, tc.name, got, tc.want)
		}
	}
	ref := Reference{Registry: "registry.example", Repository: "one"}
	if err := (Registries{}).check(ref, false); err != nil {
		t.Errorf("without patterns: %v", err)
	}
	err := Registries{Allowed: []string{"other.example/*"}}.check(ref, false)
	if load := (*plugin.LoadError)(nil); !errors.As(err, &load) || load.Reason != pluginsv1alpha1.ReasonRegistryNotAllowed {
		t.Errorf("another registry: %v", err)
	}
}

func TestParseMirror(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		want Mirror
	}{
		{"docker.io=mirror.example", Mirror{"docker.io", "mirror.example"}},
		{"docker.io/=mirror.example/docker.io/", Mirror{"docker.io", "mirror.example/docker.io"}},
		{"registry.example=http://10.0.0.1:5000", Mirror{"registry.example", "http://10.0.0.1:5000"}},
		{"registry.example/plugins=[::1]:5000/cache", Mirror{"registry.example/plugins", "[::1]:5000/cache"}},
		{"docker.io=https://mirror.example", Mirror{"docker.io", "mirror.example"}},
		{"", Mirror{}},
		{"docker.io", Mirror{}},
		{"=mirror.example", Mirror{}},
		{"docker.io=", Mirror{}},
		{"docker.io=http://", Mirror{}},
		{"docker.io=/", Mirror{}},
		{"docker.io=ftp://mirror.example", Mirror{}},
		{"docker.io=user:password@mirror.example", Mirror{}},
		{"docker.io=mirror.example:port", Mirror{}},
		{"docker.io=mirror.example/Upper", Mirror{}},
		{"Registry-1.Docker.io:443=MIRROR.example.:443/docker.io", Mirror{"docker.io:443", "mirror.example/docker.io"}},
		{"registry.example=http://mirror.example:80", Mirror{"registry.example", "http://mirror.example"}},
		{"docker.io=mirror.example:", Mirror{}},
		{"docker.io/One=mirror.example", Mirror{}},
		{"docker=mirror.example", Mirror{}},
		{"docker.io/one=mirror.example", Mirror{"docker.io/one", "mirror.example"}},
	} {
		if got, err := ParseMirror(tc.text); got != tc.want || (err == nil) != (tc.want != Mirror{}) {
			t.Errorf("%q: got %+v, %v, want %+v", tc.text, got, err, tc.want)
		}
	}
}

func TestRegistries_places(t *testing.T) {
	t.Parallel()
	r := Registries{Mirrors: []Mirror{
		{"registry.example/plugins", "first.example/cache"}, {"registry.example", "http://second.example:5000"},
		{"registry.example/plugins/one", "third.example/one"}, {"other.example", "fourth.example"},
	}}
	for _, tc := range []struct {
		repository string
		want       string
	}{
		{"plugins/one", "[{first.example cache/one false} {second.example:5000 plugins/one true} {third.example one false} {registry.example plugins/one true}]"},
		{"plugins-more/one", "[{second.example:5000 plugins-more/one true} {registry.example plugins-more/one true}]"},
		{"plugins/one/two", "[{first.example cache/one/two false} {second.example:5000 plugins/one/two true} {third.example one/two false} {registry.example plugins/one/two true}]"},
	} {
		if got := fmt.Sprint(r.places(Reference{Registry: "registry.example", Repository: tc.repository}, true)); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.repository, got, tc.want)
		}
	}
	if got := fmt.Sprint(r.places(Reference{Registry: "registry.example.evil", Repository: "one"}, false)); got != "[{registry.example.evil one false}]" {
		t.Errorf("a registry that begins like another one: %s", got)
	}
}
