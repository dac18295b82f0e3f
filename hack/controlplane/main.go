// SPDX-License-Identifier: Apache-2.0

// Command controlplane implements the build of the Kubernetes control plane for tests and the demo: kube-apiserver,
// etcd and kubectl, compiled from Go modules.
//
// It needs only a Go module proxy and not the projects' own download sites, so the same command works on a laptop, in
// CI and on a restricted network. The versions come only from this module's go.mod. The binaries are built once and
// kept in the user's cache directory, in a folder named after the versions.
//
//	go -C hack/controlplane run .
//
// prints the directory with the three binaries as the only line on standard output, in the form that envtest expects in
// KUBEBUILDER_ASSETS. Progress goes to standard error. If KUBEBUILDER_ASSETS is already set, that directory is checked
// and printed, and nothing is built.
//
// It works on Linux and macOS, which have the file lock that it uses.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	dir, err := provide(ctx, os.Getenv("KUBEBUILDER_ASSETS"), os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(1)
	}
	fmt.Println(dir)
}

// provide returns the directory with the three binaries, and builds those that are missing. fromEnv is the value of
// KUBEBUILDER_ASSETS, which may be empty.
func provide(ctx context.Context, fromEnv string, stderr io.Writer) (string, error) {
	if fromEnv != "" {
		return fromEnv, checkEnvAssets(fromEnv)
	}
	v, err := readVersions(ctx)
	if err != nil {
		return "", err
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache directory: %w; set HOME or XDG_CACHE_HOME", err)
	}
	dir := filepath.Join(base, "k1s", "controlplane", v.key(runtime.GOOS, runtime.GOARCH))
	if len(missing(dir)) == 0 {
		return dir, nil
	}
	return dir, buildMissing(ctx, dir, v, stderr)
}

// buildMissing builds the missing binaries into dir while holding its lock. If two processes start at the same time,
// one builds and the other finds the result.
func buildMissing(ctx context.Context, dir string, v versions, stderr io.Writer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the cache directory: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(dir, ".lock"), func() {
		fmt.Fprintf(stderr, "controlplane: another run is building into %s; waiting for it\n", dir)
	})
	if err != nil {
		return err
	}
	defer unlock()

	if err := removeStale(dir); err != nil {
		return err
	}
	for _, b := range missing(dir) {
		if err := build(ctx, b, v, dir, stderr); err != nil {
			return err
		}
	}
	return nil
}
