// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

func TestParseVersions(t *testing.T) {
	t.Parallel()
	const self = `"Module": {"Path": "github.com/k1s-io/k1s/hack/controlplane"}`
	for _, tc := range []struct {
		name, in string
		want     versions
		wantErr  string
	}{
		{
			name: "both requirements among others",
			in: `{` + self + `, "Require": [
				{"Path": "k8s.io/api", "Version": "v0.37.2"},
				{"Path": "k8s.io/kubernetes", "Version": "v1.37.2", "Indirect": true},
				{"Path": "go.etcd.io/etcd/server/v3", "Version": "v3.7.3"}]}`,
			want: versions{kubernetes: "v1.37.2", etcd: "v3.7.3"},
		},
		{
			name:    "run in another module's folder",
			in:      `{"Module": {"Path": "github.com/k1s-io/k1s"}}`,
			wantErr: "go -C hack/controlplane run .",
		},
		{
			name:    "etcd not required",
			in:      `{` + self + `, "Require": [{"Path": "k8s.io/kubernetes", "Version": "v1.37.2"}]}`,
			wantErr: "must require both",
		},
		{
			name: "a version without a minor",
			in: `{` + self + `, "Require": [
				{"Path": "k8s.io/kubernetes", "Version": "v1"},
				{"Path": "go.etcd.io/etcd/server/v3", "Version": "v3.7.3"}]}`,
			wantErr: "not of the form",
		},
		{name: "not JSON", in: `go: no go.mod`, wantErr: "parse the output"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseVersions([]byte(tc.in))
			if got != tc.want {
				t.Errorf("versions = %+v, want %+v", got, tc.want)
			}
			wantError(t, err, tc.wantErr)
		})
	}
}

func TestReadVersions_ownGoMod(t *testing.T) {
	t.Parallel()
	v, err := readVersions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ldflags(v.kubernetes); err != nil {
		t.Error(err)
	}
}

func TestVersions_key(t *testing.T) {
	t.Parallel()
	v := versions{kubernetes: "v1.37.2", etcd: "v3.7.3"}
	if got, want := v.key("linux", "arm64"), "1.37.2-3.7.3-linux-arm64"; got != want {
		t.Errorf("key = %q, want %q", got, want)
	}
}

// wantError checks that err contains part, or is nil if part is empty.
func wantError(t *testing.T, err error, part string) {
	t.Helper()
	switch {
	case part == "" && err != nil:
		t.Errorf("unexpected error: %v", err)
	case part != "" && err == nil:
		t.Errorf("no error, want one with %q", part)
	case part != "" && !strings.Contains(err.Error(), part):
		t.Errorf("error %q lacks %q", err, part)
	}
}
