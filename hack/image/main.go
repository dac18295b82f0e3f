// SPDX-License-Identifier: Apache-2.0

// Command image implements the packing of one static binary into a container image file, without a container engine. It
// is for machines that have none, and for tests that need an image whose digest depends only on the binary.
//
//	go -C hack/image run . -o ../../bin/k1s-image.tar -ref ghcr.io/k1s-io/k1s:dev ../../bin/image/manager
//
// The file is an OCI image layout that also contains Docker's manifest.json, so that "docker load -i", "ctr images
// import" and "kind load image-archive" accept it. Its content is that of the Dockerfile. Equal inputs give an equal
// file, byte for byte: it contains no timestamps, and it is not compressed, because the output of a compressor changes
// with the Go release.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

func main() {
	output := flag.String("o", "k1s-image.tar", "file to write")
	ref := flag.String("ref", "ghcr.io/k1s-io/k1s:dev", "name and tag of the image")
	platformFlag := flag.String("platform", "linux/"+runtime.GOARCH, "os/architecture[/variant] the binary was built for")
	certificates := flag.String("ca-certificates", "", "PEM file of the root certificates to trust; none when empty")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: image [flags] BINARY")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	digest, err := run(*output, *ref, *platformFlag, *certificates, flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
	fmt.Printf("%s: %s@%s\n", *output, *ref, digest)
}

// run writes the image file, which runs the binary under its file name, and returns the digest of its manifest.
func run(output, ref, platformFlag, certificates, binary string) (string, error) {
	tag, err := parseTag(ref)
	if err != nil {
		return "", err
	}
	platform, err := parsePlatform(platformFlag)
	if err != nil {
		return "", err
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return "", fmt.Errorf("read the binary: %w", err)
	}
	var roots []byte
	if certificates != "" {
		if roots, err = os.ReadFile(certificates); err != nil {
			return "", fmt.Errorf("read the root certificates: %w", err)
		}
	}
	program := filepath.Base(binary)
	layer, err := writeLayer(program, content, roots)
	if err != nil {
		return "", err
	}
	image, err := newImage(platform, program, layer)
	if err != nil {
		return "", fmt.Errorf("assemble the image: %w", err)
	}
	var archive bytes.Buffer
	if err := writeImage(&archive, tag, platform, image, layer); err != nil {
		return "", fmt.Errorf("assemble the image: %w", err)
	}
	// Renamed when it is complete, so that a full disk does not leave an incomplete image under the name.
	temp := output + ".incomplete"
	if err := os.WriteFile(temp, archive.Bytes(), 0o644); err != nil {
		return "", errors.Join(fmt.Errorf("write the image: %w", err), os.Remove(temp))
	}
	digest, err := image.Digest()
	return digest.String(), errors.Join(err, os.Rename(temp, output))
}
