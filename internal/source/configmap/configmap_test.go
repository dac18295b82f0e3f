// SPDX-License-Identifier: Apache-2.0

package configmap

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestSource_fetch(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	namespace, other := env.Namespace(t), env.Namespace(t)
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := w.Write([]byte("module"))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	many := map[string][]byte{strings.Repeat("a", 100): nil}
	for i := range 20 {
		many[fmt.Sprintf("key-%02d", i)] = []byte("module")
	}
	for _, cm := range []*corev1.ConfigMap{
		{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "modules"},
			BinaryData: map[string][]byte{"raw": []byte("module"), "gzip": zipped.Bytes(), "large": make([]byte, 1025), "broken": []byte("\x1f\x8b")},
			Data: map[string]string{
				"text": "module", "html": "<html>404</html>", "base64": "AGFzbQEAAAA=", "ascii": "\x00asm\x01\x00\x00\x00", "nothing-in-it": "",
			},
		},
		{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "empty"}},
		{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "many"}, BinaryData: many},
		{ObjectMeta: metav1.ObjectMeta{Namespace: other, Name: "foreign"}, BinaryData: map[string][]byte{"raw": []byte("module")}},
	} {
		env.Create(t, cm)
	}
	cases := []struct{ name, key, reason, part string }{
		{"modules", "raw", "", ""},
		{"modules", "gzip", "", ""},
		{"modules", "nothing", pluginsv1alpha1.ReasonConfigMapKeyNotFound, `ConfigMap "modules" has no key "nothing" in binaryData: it has "ascii", "base64", "broken", "gzip", "html", "large", "nothing-in-it", "raw", "text", set spec.source.configMap.key to the module's`},
		{"empty", "nothing", pluginsv1alpha1.ReasonConfigMapKeyNotFound, `ConfigMap "empty" has no key "nothing" in binaryData: it has no keys, add the module`},
		{"many", "nothing", pluginsv1alpha1.ReasonConfigMapKeyNotFound, `it has "` + strings.Repeat("a", 63) + `…", "key-00", "key-01", "key-02", "key-03", "key-04", "key-05", "key-06", "key-07", "key-08" and 11 more, set`},
		{"modules", "text", pluginsv1alpha1.ReasonNotWasm, `key "text" of ConfigMap "modules" holds text, not a WebAssembly module: store the module's file with ` + "`kubectl create configmap modules --from-file=text=FILE`"},
		{"modules", "html", pluginsv1alpha1.ReasonNotWasm, `key "html" of ConfigMap "modules" holds an HTML page`},
		{"modules", "base64", pluginsv1alpha1.ReasonNotWasm, `key "base64" of ConfigMap "modules" holds base64 text of a WebAssembly module`},
		{"modules", "nothing-in-it", pluginsv1alpha1.ReasonNotWasm, `holds nothing (0 bytes)`},
		{"modules", "ascii", "", ""},
		{"modules", "large", pluginsv1alpha1.ReasonModuleTooLarge, "more than the 1024 bytes"},
		{"modules", "broken", pluginsv1alpha1.ReasonInvalidCompression, "gzip"},
		{"nothing", "raw", pluginsv1alpha1.ReasonConfigMapNotFound, "kubectl create configmap nothing --from-file=raw=FILE"},
		{"foreign", "raw", pluginsv1alpha1.ReasonConfigMapNotFound, `does not exist in namespace "` + namespace + `"`},
		{"a/b", "raw", pluginsv1alpha1.ReasonSourceUnavailable, `ConfigMap "a/b" could not be read`},
	}
	for _, c := range cases {
		t.Run(c.name+" "+c.key, func(t *testing.T) {
			t.Parallel()
			got, err := New(env.Client, 1024).Fetch(t.Context(), namespace, pluginsv1alpha1.ConfigMapSource{Name: c.name, Key: c.key})
			want := "module"
			if c.key == "ascii" { // kubectl puts UTF-8 files into data
				want = "\x00asm\x01\x00\x00\x00"
			}
			var load *plugin.LoadError
			switch {
			case c.reason == "" && (err != nil || string(got.Bytes) != want || got.Origin != fmt.Sprintf(`key "%s" of ConfigMap "modules"`, c.key)):
				t.Errorf("got %q of %s, %v", got.Bytes, got.Origin, err)
			case c.reason != "" && (!errors.As(err, &load) || load.Reason != c.reason || !strings.Contains(load.Error(), c.part)):
				t.Errorf("got %v, want reason %s and %q", err, c.reason, c.part)
			}
		})
	}
}

// TestSource_fetch_unreachable checks that the error is retried, unlike that of a missing ConfigMap.
func TestSource_fetch_unreachable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	// The mapper uses a working server, so only reading fails.
	env := testenv.Shared(t)
	nobody, err := client.New(&rest.Config{Host: "http://" + listener.Addr().String()}, client.Options{Scheme: env.Scheme, Mapper: env.Client.RESTMapper()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(nobody, 1024).Fetch(t.Context(), "default", pluginsv1alpha1.ConfigMapSource{Name: "a", Key: "b"})
	var load *plugin.LoadError
	if !errors.As(err, &load) || load.Reason != pluginsv1alpha1.ReasonSourceUnavailable {
		t.Errorf("got %v, want reason %s", err, pluginsv1alpha1.ReasonSourceUnavailable)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	if got := Describe(pluginsv1alpha1.ConfigMapSource{Name: "a", Key: "b.wasm"}); got != "configmap/a/b.wasm" {
		t.Errorf("got %q", got)
	}
}
