// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
)

// nonroot is the user and group of the operator. Distroless images use the same number, so cluster policies commonly
// know it.
const nonroot = 65532

const (
	passwd = "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"
	group  = "root:x:0:\nnonroot:x:65532:\n"
)

// entry is a file of an archive, or a folder if its name ends with a slash.
type entry struct {
	name    string
	mode    int64 // permission bits, with 0o1000 for a sticky folder
	owner   int   // user and group
	content []byte
}

// writeLayer returns the tar archive of the image's only layer: a binary in the root folder under the given name, the
// files that the Go standard library reads in /etc, and the two folders that the operator writes to.
func writeLayer(name string, binary, rootCertificates []byte) ([]byte, error) {
	entries := []entry{
		{name: "etc/", mode: 0o755},
		{name: "etc/group", mode: 0o644, content: []byte(group)},
		{name: "etc/passwd", mode: 0o644, content: []byte(passwd)},
	}
	if len(rootCertificates) > 0 {
		entries = append(entries,
			entry{name: "etc/ssl/", mode: 0o755},
			entry{name: "etc/ssl/certs/", mode: 0o755},
			entry{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: rootCertificates},
		)
	}
	entries = append(entries,
		entry{name: name, mode: 0o755, content: binary},
		entry{name: "tmp/", mode: 0o1777},
		entry{name: "var/", mode: 0o755},
		entry{name: "var/cache/", mode: 0o755},
		entry{name: "var/cache/k1s/", mode: 0o700, owner: nonroot},
	)
	var layer bytes.Buffer
	if err := writeTar(&layer, entries); err != nil {
		return nil, fmt.Errorf("write the layer: %w", err)
	}
	return layer.Bytes(), nil
}

// writeTar writes the entries in the given order, all with the date 1970-01-01.
func writeTar(w io.Writer, entries []entry) error {
	archive := tar.NewWriter(w)
	for _, e := range entries {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: e.name, Mode: e.mode, Uid: e.owner, Gid: e.owner,
			Size: int64(len(e.content)), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR,
		}
		if strings.HasSuffix(e.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(e.content); err != nil {
			return err
		}
	}
	return archive.Close()
}
