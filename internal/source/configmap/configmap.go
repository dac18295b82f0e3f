// SPDX-License-Identifier: Apache-2.0

// Package configmap implements the source of modules in ConfigMaps.
package configmap

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source"
	"github.com/k1s-io/k1s/internal/source/sniff"
)

// Source reads ConfigMaps directly from the API server. Modules are large and rarely read, so they are not kept in a
// cache.
type Source struct {
	reader   client.Reader
	maxBytes int64
}

// New returns a Source. maxBytes is the maximum size of an uncompressed module.
func New(reader client.Reader, maxBytes int64) *Source {
	return &Source{reader: reader, maxBytes: maxBytes}
}

// Fetch returns the module in a key of a ConfigMap. Errors are *plugin.LoadError.
func (s *Source) Fetch(ctx context.Context, namespace string, ref pluginsv1alpha1.ConfigMapSource) (plugin.Module, error) {
	var cm corev1.ConfigMap
	err := s.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ref.Name}, &cm)
	switch {
	case apierrors.IsNotFound(err):
		return plugin.Module{}, plugin.Reject(pluginsv1alpha1.ReasonConfigMapNotFound,
			"ConfigMap %q does not exist in namespace %q: create it with `kubectl create configmap %s --from-file=%s=FILE`",
			ref.Name, namespace, plugin.ShellQuote(ref.Name), plugin.ShellQuote(ref.Key))
	case err != nil:
		return plugin.Module{}, &plugin.LoadError{
			Reason:  pluginsv1alpha1.ReasonSourceUnavailable,
			Message: fmt.Sprintf("ConfigMap %q could not be read", ref.Name), Err: err,
		}
	}
	if stored, ok := cm.BinaryData[ref.Key]; ok {
		return s.unpack(stored, ref)
	}
	if text, ok := cm.Data[ref.Key]; ok {
		return s.unpackText(text, ref)
	}
	return plugin.Module{}, plugin.Reject(pluginsv1alpha1.ReasonConfigMapKeyNotFound,
		"ConfigMap %q has no key %q in binaryData: %s", ref.Name, ref.Key, keys(&cm))
}

func (s *Source) unpack(stored []byte, ref pluginsv1alpha1.ConfigMapSource) (plugin.Module, error) {
	m, err := source.Unpack(stored, s.maxBytes)
	m.Origin = fmt.Sprintf("key %q of ConfigMap %q", ref.Key, ref.Name)
	return m, err
}

// magic is the beginning of every WebAssembly module.
const magic = "\x00asm"

// unpackText returns a module from a ConfigMap's data field. That field can hold only UTF-8, but kubectl puts every
// file there that happens to be valid UTF-8, as a small module may be.
func (s *Source) unpackText(text string, ref pluginsv1alpha1.ConfigMapSource) (plugin.Module, error) {
	if strings.HasPrefix(text, magic) {
		return s.unpack([]byte(text), ref)
	}
	return plugin.Module{}, plugin.Reject(pluginsv1alpha1.ReasonNotWasm,
		"key %q of ConfigMap %q holds %s, not a WebAssembly module: store the module's file with `kubectl create configmap %s --from-file=%s=FILE`",
		ref.Key, ref.Name, cmp.Or(sniff.Of([]byte(text)).What, "text"), ref.Name, ref.Key)
}

// Describe returns the name of the source in a status.
func Describe(ref pluginsv1alpha1.ConfigMapSource) string {
	return fmt.Sprintf("configmap/%s/%s", ref.Name, ref.Key)
}
