// SPDX-License-Identifier: Apache-2.0

package sniff

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

const wasm = "\x00asm\x01\x00\x00\x00"

func gzipped(t *testing.T, in string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(in))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func tarred(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	err := w.WriteHeader(&tar.Header{Name: "plugin.wasm", Mode: 0o644, Size: int64(len(wasm))})
	_, more := w.Write([]byte(wasm))
	if err := errors.Join(err, more, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func zipped(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, err := w.Create("plugin.wasm")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write([]byte(wasm))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestOf(t *testing.T) {
	t.Parallel()
	of64 := base64.StdEncoding.EncodeToString
	for name, tc := range map[string]struct{ in, what string }{
		"nothing":          {"", "nothing (0 bytes)"},
		"a module":         {wasm, "a WebAssembly module"},
		"a component":      {"\x00asm\x0d\x00\x01\x00", "a WebAssembly component"},
		"module, cut off":  {"\x00asm", "a WebAssembly module"},
		"gzip":             {gzipped(t, wasm), "a gzip file"},
		"tar":              {tarred(t), "a tar archive"},
		"zip":              {zipped(t), "a zip archive"},
		"ELF":              {"\x7fELF\x02\x01\x01\x00", "a Linux program or library (ELF)"},
		"HTML":             {"\n<!DOCTYPE html>\n<html>", "an HTML page"},
		"HTML, short":      {"<html><body>404", "an HTML page"},
		"JSON":             {`{"message": "not found"}`, "JSON text"},
		"WAT":              {"(module\n  (memory 1))", "WebAssembly text (WAT)"},
		"WAT, commented":   {";; a plugin\n(module)", "WebAssembly text (WAT)"},
		"LFS":              {"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a Git LFS pointer"},
		"manifest":         {"apiVersion: v1\nkind: ConfigMap\n", "a Kubernetes manifest (YAML)"},
		"text":             {"hello", "text"},
		"long text":        {strings.Repeat("é", 2000), "text"}, // cut inside a character
		"white space":      {" \n", "white space"},
		"with a BOM":       {"\ufeff<html>", "an HTML page"},
		"UTF-16":           {"\xff\xfe\x00\x00", "UTF-16 text"},
		"base64":           {of64([]byte(wasm)), "base64 text of a WebAssembly module"},
		"base64 of URLs":   {base64.RawURLEncoding.EncodeToString([]byte(wasm + "\xff\xff\xff")), "base64 text of a WebAssembly module"},
		"base64 in lines":  {"\n" + of64([]byte(wasm))[:8] + "\r\n" + of64([]byte(wasm))[8:] + "\n", "base64 text of a WebAssembly module"},
		"base64, long":     {of64([]byte(wasm + strings.Repeat("\x01\x02\x03\x04", 1000))), "base64 text of a WebAssembly module"},
		"base64 of gzip":   {of64([]byte(gzipped(t, wasm))), "base64 text of a gzip file"},
		"base64 of others": {of64(bytes.Repeat([]byte("\x9f\x12"), 100)), "base64 text"},
		"short word":       {"module", "text"},
		"hexadecimal":      {hex.EncodeToString([]byte(wasm)), "hexadecimal text of a WebAssembly module"},
		"unknown":          {"\x01\x02\x03", ""},
		"cut off in text":  {"text\xc3", ""}, // no text ends like this
		"text beyond":      {strings.Repeat("x ", most) + "\x00", "text"},
	} {
		got := Of([]byte(tc.in))
		if got.What != tc.what || (got.Advice == "") != (tc.what == "") {
			t.Errorf("%s: got %+v, want %q", name, got, tc.what)
		}
	}
}

func TestContent_kinds(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][3]bool{
		wasm:                                 {true, false, false},
		"\x00asm\x0d\x00\x01\x00":            {false, true, false},
		"\x7fELF\x02\x01\x01\x00":            {false, false, true},
		"MZ\x90\x00":                         {false, false, true},
		"text":                               {},
		"\x01":                               {},
		hex.EncodeToString([]byte("\x7fEL")): {},
	} {
		c := Of([]byte(in))
		if got := [3]bool{c.IsModule(), c.IsComponent(), c.IsProgram()}; got != want {
			t.Errorf("%q: module, component, program = %v, want %v", in, got, want)
		}
	}
}

// FuzzOf checks that nothing panics, and that bytes after the first KiB are not examined.
func FuzzOf(f *testing.F) {
	for _, seed := range []string{"", wasm, "(module)", "AGFzbQEAAAA=", "\x1f\x8b\x08", "\xff\xfe", "text\xc3"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got := Of(in)
		if len(in) > most && got != Of(append(in[:most:most], 0)) {
			t.Errorf("%+v depends on what comes after the first KiB", got)
		}
		if (got.What == "") != (got.Advice == "") {
			t.Errorf("got %+v", got)
		}
	})
}
