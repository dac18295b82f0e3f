// SPDX-License-Identifier: Apache-2.0

// Package configmap reads modules from the binaryData of ConfigMaps.
package configmap

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source"
)

// Source reads ConfigMaps straight from the API server: modules are large and read seldom, so they
// are not to lie in a cache.
type Source struct {
	reader   client.Reader
	maxBytes int64
}

// New makes a Source with the bound for uncompressed modules in bytes.
func New(reader client.Reader, maxBytes int64) *Source {
	return &Source{reader: reader, maxBytes: maxBytes}
}

// Fetch returns the module in a key of a ConfigMap. Errors are *plugin.LoadError.
func (s *Source) Fetch(ctx context.Context, namespace string, ref pluginsv1alpha1.ConfigMapSource) (plugin.Module, error) {
	var cm corev1.ConfigMap
	err := s.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ref.Name}, &cm)
	switch {
	case apierrors.IsNotFound(err):
		return plugin.Module{}, plugin.Refuse(pluginsv1alpha1.ReasonConfigMapNotFound,
			"ConfigMap %q does not exist in namespace %q: create it with `kubectl create configmap %s --from-file=%s=FILE`",
			ref.Name, namespace, plugin.ShellQuote(ref.Name), plugin.ShellQuote(ref.Key))
	case err != nil:
		return plugin.Module{}, &plugin.LoadError{
			Reason:  pluginsv1alpha1.ReasonSourceUnavailable,
			Message: fmt.Sprintf("ConfigMap %q could not be read", ref.Name), Err: err,
		}
	}
	if stored, ok := cm.BinaryData[ref.Key]; ok {
		return source.Unpack(stored, s.maxBytes)
	}
	if _, ok := cm.Data[ref.Key]; ok {
		return plugin.Module{}, plugin.Refuse(pluginsv1alpha1.ReasonConfigMapKeyNotFound,
			"key %q of ConfigMap %q is text in data, but a module belongs into binaryData: kubectl create configmap --from-file puts it there", ref.Key, ref.Name)
	}
	return plugin.Module{}, plugin.Refuse(pluginsv1alpha1.ReasonConfigMapKeyNotFound,
		"ConfigMap %q has no key %q in binaryData", ref.Name, ref.Key)
}

// Describe names the source in a status.
func Describe(ref pluginsv1alpha1.ConfigMapSource) string {
	return fmt.Sprintf("configmap/%s/%s", ref.Name, ref.Key)
}
