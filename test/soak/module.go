// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	_ "embed" // for the soaker
	"encoding/binary"
	"fmt"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
)

// module is the module of a plugin in all of its versions, and the results that it writes.
type module interface {
	// version returns the module in a version, which differs from all others.
	version(n int) []byte
	// answer returns what the plugin wrote to a Category, and want returns what it has to write.
	answer(c *inventoryv1alpha1.Category) string
	want(c *inventoryv1alpha1.Category, version int) string
}

//go:embed testdata/soaker.wasm
var soakerModule []byte

// soaker is the fixture: it writes its version and the generation that it observed.
type soaker struct{}

func (soaker) name(n int) string { return fmt.Sprintf("1.%04d", n) }

func (s soaker) version(n int) []byte {
	return bytes.Replace(soakerModule, []byte("1.0000"), []byte(s.name(n)), 1)
}

func (soaker) answer(c *inventoryv1alpha1.Category) string { return c.Annotations["soak.k1s.io/seen"] }

func (s soaker) want(c *inventoryv1alpha1.Category, version int) string {
	return fmt.Sprintf("%s/%d", s.name(version), c.Generation)
}

// hierarchyFile is the sample plugin in Go, which `make plugins` builds.
const hierarchyFile = "plugins/category-hierarchy.wasm"

// sample is that sample plugin: it writes the path of a Category. Its versions differ in a custom section.
type sample struct{ bytes []byte }

func (s sample) version(n int) []byte {
	section := append([]byte("\x04soak"), fmt.Sprintf("%04d", n)...)
	out := append(bytes.Clone(s.bytes), 0) // a custom section
	out = binary.AppendUvarint(out, uint64(len(section)))
	return append(out, section...)
}

func (sample) answer(c *inventoryv1alpha1.Category) string { return c.Status.Path }

func (sample) want(c *inventoryv1alpha1.Category, _ int) string {
	if c.Spec.Parent == "" {
		return c.Name
	}
	return c.Spec.Parent + "/" + c.Name
}
