// SPDX-License-Identifier: Apache-2.0

package configmap

import (
	"bytes"
	"compress/gzip"
	"errors"
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
	for _, cm := range []*corev1.ConfigMap{
		{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "modules"},
			BinaryData: map[string][]byte{"raw": []byte("module"), "gzip": zipped.Bytes(), "large": make([]byte, 1025), "broken": []byte("\x1f\x8b")},
			Data:       map[string]string{"text": "module"},
		},
		{ObjectMeta: metav1.ObjectMeta{Namespace: other, Name: "foreign"}, BinaryData: map[string][]byte{"raw": []byte("module")}},
	} {
		if err := env.Client.Create(t.Context(), cm); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct{ name, key, reason, part string }{
		{"modules", "raw", "", ""},
		{"modules", "gzip", "", ""},
		{"modules", "nothing", pluginsv1alpha1.ReasonConfigMapKeyNotFound, `ConfigMap "modules" has no key "nothing" in binaryData`},
		{"modules", "text", pluginsv1alpha1.ReasonConfigMapKeyNotFound, "is text in data, but a module belongs into binaryData"},
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
			var load *plugin.LoadError
			switch {
			case c.reason == "" && (err != nil || string(got.Bytes) != "module"):
				t.Errorf("got %q, %v", got.Bytes, err)
			case c.reason != "" && (!errors.As(err, &load) || load.Reason != c.reason || !strings.Contains(load.Error(), c.part)):
				t.Errorf("got %v, want reason %s and %q", err, c.reason, c.part)
			}
		})
	}
}

// TestSource_fetch_unreachable is tried again, unlike a ConfigMap that is not there.
func TestSource_fetch_unreachable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	// The mapper belongs to a server that answers; only reading fails.
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
