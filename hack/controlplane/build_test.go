// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fakeGo adds a shell script named go to the front of PATH, to test the code around a build without building
// Kubernetes. The script receives the real arguments.
func fakeGo(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "go"), []byte("#!/bin/sh\n"+script), 0o755))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// takeOutput sets $out to the value of -o in a fake go command.
const takeOutput = `while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
`

var testVersions = versions{kubernetes: "v1.37.2", etcd: "v3.7.3"}

func TestBuildMissing(t *testing.T) {
	fakeGo(t, takeOutput+`echo binary > "$out"; chmod +x "$out"`)
	dir := filepath.Join(t.TempDir(), "assets")
	var log bytes.Buffer
	must(t, buildMissing(t.Context(), dir, testVersions, &log))
	if left := missing(dir); len(left) != 0 {
		t.Errorf("still missing: %v", left)
	}
	for _, b := range binaries() {
		for _, want := range []string{b.name + ": building " + b.pkg, b.name + ": built in"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("log lacks %q:\n%s", want, &log)
			}
		}
	}
}

func TestBuildMissing_failure(t *testing.T) {
	fakeGo(t, takeOutput+`echo half > "$out"; echo "x.go:1:1: no space left on device" >&2; exit 1`)
	dir := t.TempDir()
	var log bytes.Buffer
	wantError(t, buildMissing(t.Context(), dir, testVersions, &log), "What to do: see the go command's message above")
	if !strings.Contains(log.String(), "no space left on device") {
		t.Errorf("log lacks the go command's message:\n%s", &log)
	}
	wantOnlyLock(t, dir)
}

func TestBuildMissing_interrupted(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "started")
	fakeGo(t, `trap 'kill $child; exit 1' INT
`+takeOutput+`echo half > "$out"; sleep 600 & child=$!
echo started > "`+fifo+`"; wait`)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	must(t, syscall.Mkfifo(fifo, 0o600))
	go func() {
		_, _ = os.ReadFile(fifo)
		cancel()
	}()
	wantError(t, buildMissing(ctx, dir, testVersions, &bytes.Buffer{}), "interrupted")
	wantOnlyLock(t, dir)
}

// TestRunReporting runs a command that ends only after the second report.
func TestRunReporting(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("cat")
	stdin, err := cmd.StdinPipe()
	must(t, err)
	reports := 0
	must(t, runReporting(cmd, time.Millisecond, func() {
		if reports++; reports == 2 {
			must(t, stdin.Close())
		}
	}))
	if reports < 2 {
		t.Errorf("%d reports, want at least 2", reports)
	}
}

func TestBuildEnv(t *testing.T) {
	t.Parallel()
	got := buildEnv([]string{"HOME=/home/dev", "GOFLAGS=-mod=vendor", "GOOS=wasip1", "GOWORK=/x/go.work"}, "linux", "amd64")
	want := []string{
		"HOME=/home/dev", "GOFLAGS=-mod=readonly -buildvcs=false", "GOWORK=off", "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64",
	}
	if !slices.Equal(got, want) {
		t.Errorf("environment = %q, want %q", got, want)
	}
}

func wantOnlyLock(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) != 1 || entries[0].Name() != ".lock" {
		t.Errorf("the cache directory holds %v, want the lock alone", entries)
	}
}
