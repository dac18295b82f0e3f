// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

const (
	selfModule       = "github.com/k1s-io/k1s/hack/controlplane"
	kubernetesModule = "k8s.io/kubernetes"
	etcdModule       = "go.etcd.io/etcd/server/v3"

	// howToRun is the command that runs this program in its own folder, which contains its go.mod.
	howToRun = "go -C hack/controlplane run ."
)

// versions are the module versions to build, with their leading "v".
type versions struct {
	kubernetes string
	etcd       string
}

// readVersions asks the go command for the requirements of the go.mod in the working directory. They are recorded only
// there, so an update is an edit of go.mod.
func readVersions(ctx context.Context) (versions, error) {
	out, err := exec.CommandContext(ctx, "go", "mod", "edit", "-json").Output()
	if err != nil {
		return versions{}, fmt.Errorf("read go.mod: %w; run this as %q", err, howToRun)
	}
	return parseVersions(out)
}

// parseVersions parses the output of "go mod edit -json".
func parseVersions(goMod []byte) (versions, error) {
	var file struct {
		Module  struct{ Path string }
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(goMod, &file); err != nil {
		return versions{}, fmt.Errorf("parse the output of go mod edit -json: %w", err)
	}
	if file.Module.Path != selfModule {
		return versions{}, fmt.Errorf("the go.mod here is of module %q, not %q; run this as %q",
			file.Module.Path, selfModule, howToRun)
	}
	var v versions
	for _, r := range file.Require {
		switch r.Path {
		case kubernetesModule:
			v.kubernetes = r.Version
		case etcdModule:
			v.etcd = r.Version
		}
	}
	if v.kubernetes == "" || v.etcd == "" {
		return versions{}, fmt.Errorf("go.mod must require both %s and %s", kubernetesModule, etcdModule)
	}
	if _, _, err := majorMinor(v.kubernetes); err != nil {
		return versions{}, err
	}
	return v, nil
}

// key returns the name of the cache directory, which contains everything that makes binaries differ.
func (v versions) key(goos, goarch string) string {
	return strings.Join([]string{
		strings.TrimPrefix(v.kubernetes, "v"), strings.TrimPrefix(v.etcd, "v"), goos, goarch,
	}, "-")
}

// majorMinor splits "v1.37.2" into "1" and "37".
func majorMinor(version string) (major, minor string, err error) {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if !strings.HasPrefix(version, "v") || len(parts) != 3 || parts[0] == "" || parts[1] == "" {
		return "", "", fmt.Errorf("version %q is not of the form v1.2.3", version)
	}
	return parts[0], parts[1], nil
}
