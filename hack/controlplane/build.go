// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// signOfLife is the interval at which a build reports that it goes on. Compiling kube-apiserver takes minutes, in which
// the go command prints nothing.
const signOfLife = 30 * time.Second

// build compiles b into dir. The result is linked to a temporary file beside it and renamed, so that it appears under
// its name complete or not at all.
func build(ctx context.Context, b binary, v versions, dir string, stderr io.Writer) (err error) {
	flags, err := ldflags(v.kubernetes)
	if err != nil {
		return err
	}
	// The lock is held and removeStale has run, so the name is not in use.
	temp := filepath.Join(dir, b.name+tempInfix+strconv.Itoa(os.Getpid()))
	defer func() {
		if err != nil {
			_ = os.Remove(temp)
		}
	}()

	start := time.Now()
	fmt.Fprintf(stderr, "%s: building %s (Kubernetes %s, etcd %s)\n", b.name, b.pkg, v.kubernetes, v.etcd)
	cmd := goCommand(ctx, "build", "-ldflags", flags, "-o", temp, b.pkg)
	cmd.Stdout, cmd.Stderr = stderr, stderr
	err = runReporting(cmd, signOfLife, func() {
		fmt.Fprintf(stderr, "%s: still building after %s\n", b.name, time.Since(start).Round(time.Second))
	})
	if err != nil {
		return buildError(ctx, b, err)
	}
	if err := os.Rename(temp, filepath.Join(dir, b.name)); err != nil {
		return fmt.Errorf("put %s in its place: %w", b.name, err)
	}
	fmt.Fprintf(stderr, "%s: built in %s\n", b.name, time.Since(start).Round(time.Second))
	return nil
}

// runReporting runs a command, and calls report at every interval until the command ends.
func runReporting(cmd *exec.Cmd, interval time.Duration, report func()) error {
	done := make(chan error, 1)
	go func() { done <- cmd.Run() }()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-ticker.C:
			report()
		}
	}
}

func buildError(ctx context.Context, b binary, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted; run it again to go on: what is compiled stays in the Go build cache")
	}
	return fmt.Errorf("build %s: %w\n"+
		"What to do: see the go command's message above; a full disk (about 5 GB are needed, see go env GOCACHE GOTMPDIR)\n"+
		"and an unreachable module proxy (see go env GOPROXY) are the usual causes. Run it again: what is compiled is kept.\n"+
		"Or set KUBEBUILDER_ASSETS to a folder with kube-apiserver, etcd and kubectl", b.name, err)
}
