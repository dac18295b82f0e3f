// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

func TestSource_fetch(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	p.write("a.wasm", "module")
	p.mkdir("sub/deep")
	p.write("sub/deep/a.wasm", "deep module")
	p.link("sub/deep/a.wasm", "inside.wasm")
	p.link("sub", "folder")
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := w.Write([]byte("module"))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	p.write("a.wasm.gz", zipped.String())
	for path, want := range map[string]string{
		"a.wasm": "module", "sub/deep/a.wasm": "deep module", "inside.wasm": "deep module",
		"folder/deep/a.wasm": "deep module", "a.wasm.gz": "module",
	} {
		got, err := p.source().Fetch(t.Context(), path)
		if err != nil || string(got.Bytes) != want || got.Digest != plugin.DigestOf([]byte(want)) || got.Origin != `file "`+path+`"` {
			t.Errorf("%s: got %q of %s, %v", path, got.Bytes, got.Origin, err)
		}
	}
}

func TestSource_fetch_rejected(t *testing.T) {
	t.Parallel()
	p := newPlugins(t)
	outside := filepath.Join(filepath.Dir(p.dir), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.mkdir("folder.wasm")
	p.link("../secret", "relative.wasm")
	p.link(outside, "absolute.wasm")
	p.link("..", "up")
	p.link("nothing", "dangling.wasm")
	p.link("loop", "loop")
	p.write("large.wasm", string(make([]byte, 1<<20+1)))
	p.write("broken.wasm", "\x1f\x8b broken")
	if err := syscall.Mkfifo(filepath.Join(p.dir, "pipe.wasm"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ path, why, reason string }{
		{"nothing.wasm", "it is not there", pluginsv1alpha1.ReasonFileNotFound},
		{"nothing/a.wasm", "nor is its folder", pluginsv1alpha1.ReasonFileNotFound},
		{"dangling.wasm", "nor is what a link leads to", pluginsv1alpha1.ReasonFileNotFound},
		{"folder.wasm", "a folder is no module", pluginsv1alpha1.ReasonSourceUnavailable},
		{".", "nor is the directory", pluginsv1alpha1.ReasonSourceUnavailable},
		{"", "nothing is named", pluginsv1alpha1.ReasonSourceUnavailable},
		{"pipe.wasm", "reading a pipe would wait for ever", pluginsv1alpha1.ReasonSourceUnavailable},
		{"relative.wasm", "the link leads out", pluginsv1alpha1.ReasonSourceUnavailable},
		{"absolute.wasm", "the link leads out", pluginsv1alpha1.ReasonSourceUnavailable},
		{"up/secret", "the folder leads out", pluginsv1alpha1.ReasonSourceUnavailable},
		{"../secret", "the path leads out", pluginsv1alpha1.ReasonSourceUnavailable},
		{outside, "the path is absolute", pluginsv1alpha1.ReasonSourceUnavailable},
		{"loop", "the link leads to itself", pluginsv1alpha1.ReasonSourceUnavailable},
		{"large.wasm", "it is larger than allowed", pluginsv1alpha1.ReasonModuleTooLarge},
		{"broken.wasm", "it cannot be uncompressed", pluginsv1alpha1.ReasonInvalidCompression},
	}
	for _, c := range cases {
		t.Run(c.path, func(t *testing.T) {
			t.Parallel()
			got, err := p.source().Fetch(t.Context(), c.path)
			var load *plugin.LoadError
			if !errors.As(err, &load) || load.Reason != c.reason || len(got.Bytes) > 0 {
				t.Errorf("%s: got %q, %v; want reason %s", c.why, got.Bytes, err, c.reason)
			}
		})
	}
}

func TestProblemOf(t *testing.T) {
	t.Parallel()
	wp := func(label, reason string) *pluginsv1alpha1.WasmPlugin {
		wp := &pluginsv1alpha1.WasmPlugin{}
		wp.Labels = map[string]string{pluginsv1alpha1.LabelDirectory: label}
		wp.Annotations = map[string]string{
			pluginsv1alpha1.AnnotationDirectoryReason: reason, pluginsv1alpha1.AnnotationDirectoryMessage: "100 % wrong",
		}
		return wp
	}
	for name, tc := range map[string]struct {
		wp   *pluginsv1alpha1.WasmPlugin
		want string
	}{
		"no problem":       {wp("true", ""), ""},
		"problem":          {wp("true", "DuplicateName"), "100 % wrong"},
		"somebody else's":  {wp("", "DuplicateName"), ""},
		"nothing about it": {&pluginsv1alpha1.WasmPlugin{}, ""},
	} {
		err := ProblemOf(tc.wp)
		var load *plugin.LoadError
		if got := errors.As(err, &load); got != (tc.want != "") || got && (load.Reason != "DuplicateName" || load.Message != tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	if got := Describe("sub/a.wasm"); got != "file/sub/a.wasm" {
		t.Errorf("got %q", got)
	}
}
