// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"testing"
)

func TestWriteLayer(t *testing.T) {
	t.Parallel()
	layer, err := writeLayer("manager", []byte("a binary"), []byte("certificates"))
	must(t, err)
	files := readTar(t, bytes.NewReader(layer))
	for _, tc := range []struct {
		name  string
		kind  byte
		mode  int64
		owner int
	}{
		{name: "manager", kind: tar.TypeReg, mode: 0o755},
		{name: "tmp/", kind: tar.TypeDir, mode: 0o1777},
		{name: "etc/passwd", kind: tar.TypeReg, mode: 0o644},
		{name: "etc/group", kind: tar.TypeReg, mode: 0o644},
		{name: "etc/ssl/certs/ca-certificates.crt", kind: tar.TypeReg, mode: 0o644},
		{name: "var/cache/k1s/", kind: tar.TypeDir, mode: 0o700, owner: nonroot},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			file, ok := files[tc.name]
			if !ok {
				t.Fatal("not in the layer")
			}
			h := file.header
			if h.Typeflag != tc.kind || h.Mode != tc.mode || h.Uid != tc.owner || h.Gid != tc.owner {
				t.Errorf("type %c, mode %o, owner %d:%d, want %c, %o, %d", h.Typeflag, h.Mode, h.Uid, h.Gid, tc.kind, tc.mode, tc.owner)
			}
		})
	}
	if got := string(files["manager"].content); got != "a binary" {
		t.Errorf("manager holds %q", got)
	}
}

func TestWriteLayer_noCertificates(t *testing.T) {
	t.Parallel()
	layer, err := writeLayer("manager", []byte("a binary"), nil)
	must(t, err)
	if _, ok := readTar(t, bytes.NewReader(layer))["etc/ssl/"]; ok {
		t.Error("an empty certificate folder was made")
	}
}
