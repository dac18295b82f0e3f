// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"
)

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

	var out output
	var total atomic.Int64
	start := time.Now()
	shown := newProgress(stderr)
	shown.line("%s: building %s (Kubernetes %s, etcd %s)", b.name, b.pkg, v.kubernetes, v.etcd)
	stop := shown.watch(func() status {
		downloaded, compiled := out.counts()
		return status{b.name, downloaded, compiled, int(total.Load()), time.Since(start)}
	})
	err = func() error {
		n, err := countPackages(ctx, b, &out)
		if err != nil {
			return err
		}
		total.Store(int64(n))
		cmd := goCommand(ctx, "build", "-v", "-ldflags", flags, "-o", temp, b.pkg)
		cmd.Stdout, cmd.Stderr = &out, &out
		return cmd.Run()
	}()
	stop()
	if err != nil {
		shown.line("%s: stopped after %s", b.name, time.Since(start).Truncate(time.Second))
		return buildError(ctx, b, err, out.text())
	}
	if err := os.Rename(temp, filepath.Join(dir, b.name)); err != nil {
		return fmt.Errorf("put %s in its place: %w", b.name, err)
	}
	_, compiled := out.counts()
	shown.line("%s: built in %s, %d packages compiled, the others from the Go build cache",
		b.name, time.Since(start).Truncate(time.Second), compiled)
	return nil
}

// countPackages returns the number of packages of b. It downloads the modules that contain them.
func countPackages(ctx context.Context, b binary, out *output) (int, error) {
	cmd := goCommand(ctx, "list", "-deps", b.pkg)
	var list bytes.Buffer
	cmd.Stdout, cmd.Stderr = &list, out
	if err := cmd.Run(); err != nil {
		return 0, err
	}
	return bytes.Count(list.Bytes(), []byte("\n")), nil
}

func buildError(ctx context.Context, b binary, err error, text string) error {
	if ctx.Err() != nil {
		return errors.New("interrupted; run it again to go on: what is compiled stays in the Go build cache")
	}
	if text == "" {
		text = "(the go command said nothing)"
	}
	return fmt.Errorf("build %s: %w\n%s\n"+
		"What to do: see the go command's message above; a full disk (about 5 GB are needed, see go env GOCACHE GOTMPDIR)\n"+
		"and an unreachable module proxy (see go env GOPROXY) are the usual causes. Run it again: what is compiled is kept.\n"+
		"Or set KUBEBUILDER_ASSETS to a folder with kube-apiserver, etcd and kubectl", b.name, err, text)
}
