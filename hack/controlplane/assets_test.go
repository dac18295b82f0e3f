// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestCheckEnvAssets(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		change  func(t *testing.T, dir string) string // returns the value to check
		wantErr string
	}{
		{name: "complete"},
		{
			name: "one missing",
			change: func(t *testing.T, dir string) string {
				must(t, os.Remove(filepath.Join(dir, "etcd")))
				return dir
			},
			wantErr: "etcd is missing; put all three",
		},
		{
			name: "one not executable, as after an unzip that drops modes",
			change: func(t *testing.T, dir string) string {
				must(t, os.Chmod(filepath.Join(dir, "kubectl"), 0o644))
				return dir
			},
			wantErr: "kubectl is not executable",
		},
		{
			name: "a folder in a binary's place",
			change: func(t *testing.T, dir string) string {
				path := filepath.Join(dir, "kube-apiserver")
				must(t, os.Remove(path))
				must(t, os.Mkdir(path, 0o755))
				return dir
			},
			wantErr: "kube-apiserver is not a file",
		},
		{
			name:    "no such folder",
			change:  func(_ *testing.T, dir string) string { return filepath.Join(dir, "nothing") },
			wantErr: "unset KUBEBUILDER_ASSETS",
		},
		{
			name:    "relative",
			change:  func(*testing.T, string) string { return "bin" },
			wantErr: "must be an absolute path",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := fakeAssets(t)
			if tc.change != nil {
				dir = tc.change(t, dir)
			}
			wantError(t, checkEnvAssets(dir), tc.wantErr)
		})
	}
}

func TestMissing_afterInterruptedBuild(t *testing.T) {
	t.Parallel()
	dir := fakeAssets(t)
	half := filepath.Join(dir, "etcd"+tempInfix+"123")
	must(t, os.Rename(filepath.Join(dir, "etcd"), half))

	if got := missing(dir); len(got) != 1 || got[0].name != "etcd" {
		t.Errorf("missing = %v, want etcd alone", got)
	}
	must(t, removeStale(dir))
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"kube-apiserver", "kubectl"}; !slices.Equal(names, want) {
		t.Errorf("files left = %v, want %v", names, want)
	}
}

// fakeAssets creates a directory with an executable file for each binary.
func fakeAssets(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, b := range binaries() {
		must(t, os.WriteFile(filepath.Join(dir, b.name), []byte("#!/bin/sh\n"), 0o755))
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
