// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// binary is one program of the control plane.
type binary struct {
	name string // file name that envtest looks for
	pkg  string // import path of its main package
}

// binaries returns the largest binary first: the others share most of the packages that it compiles.
func binaries() []binary {
	return []binary{
		{name: "kube-apiserver", pkg: "k8s.io/kubernetes/cmd/kube-apiserver"},
		{name: "etcd", pkg: "go.etcd.io/etcd/server/v3"},
		{name: "kubectl", pkg: "k8s.io/kubernetes/cmd/kubectl"},
	}
}

// ldflags returns the linker flags that set the version, as Kubernetes' own build scripts do. Without them the server
// reports v0.0.0, and clients that check for a minimum version (Helm, kubectl) reject it. The date is fixed, so that
// equal inputs give equal binaries.
func ldflags(kubernetes string) (string, error) {
	major, minor, err := majorMinor(kubernetes)
	if err != nil {
		return "", err
	}
	const stamp = "k8s.io/component-base/version."
	return strings.Join([]string{
		"-s -w",
		fmt.Sprintf("-X %sgitVersion=%s", stamp, kubernetes),
		fmt.Sprintf("-X %sgitMajor=%s", stamp, major),
		fmt.Sprintf("-X %sgitMinor=%s", stamp, minor),
		fmt.Sprintf("-X %sgitTreeState=clean", stamp),
		fmt.Sprintf("-X %sbuildDate=1970-01-01T00:00:00Z", stamp),
		"-X k8s.io/client-go/pkg/version.gitVersion=" + kubernetes,
	}, " "), nil
}
