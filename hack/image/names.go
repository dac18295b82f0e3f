// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strings"
)

// ref is the name under which the image is loaded.
type ref struct {
	name string // including the tag
	tag  string
}

// refPattern is the grammar of distribution/reference without digests: the digest of an image file is computed and
// cannot be chosen.
var refPattern = regexp.MustCompile(`^[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*:([\w][\w.-]{0,127})$`)

func parseRef(s string) (ref, error) {
	match := refPattern.FindStringSubmatch(s)
	if match == nil {
		return ref{}, fmt.Errorf("image name %q is not of the form registry/name:tag", s)
	}
	return ref{name: s, tag: match[len(match)-1]}, nil
}

// platform is the platform of the binary. The OCI image specification uses the values of GOOS and GOARCH.
type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant,omitempty"`
}

func parsePlatform(s string) (platform, error) {
	parts := strings.Split(s, "/")
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || parts[1] == "" {
		return platform{}, fmt.Errorf("platform %q is not of the form os/architecture[/variant]", s)
	}
	p := platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	return p, nil
}
