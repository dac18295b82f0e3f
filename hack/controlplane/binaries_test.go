// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestLdflags(t *testing.T) {
	t.Parallel()
	const want = "-s -w" +
		" -X k8s.io/component-base/version.gitVersion=v1.37.2" +
		" -X k8s.io/component-base/version.gitMajor=1" +
		" -X k8s.io/component-base/version.gitMinor=37" +
		" -X k8s.io/component-base/version.gitTreeState=clean" +
		" -X k8s.io/component-base/version.buildDate=1970-01-01T00:00:00Z" +
		" -X k8s.io/client-go/pkg/version.gitVersion=v1.37.2"
	got, err := ldflags("v1.37.2")
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("ldflags =\n%s\nwant\n%s", got, want)
	}
}

func TestLdflags_badVersion(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"", "1.37.2", "v1.37", "v..2"} {
		if _, err := ldflags(version); err == nil {
			t.Errorf("ldflags(%q) gave no error", version)
		}
	}
}
