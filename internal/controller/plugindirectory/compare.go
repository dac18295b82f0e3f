// SPDX-License-Identifier: Apache-2.0

package plugindirectory

import (
	"maps"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// same reports whether two WasmPlugins are equal in what this controller writes. An absent list and an empty one are
// different here: absent security lists allow everything, empty ones allow nothing.
func same(a, b *pluginsv1alpha1.WasmPlugin) bool {
	return maps.Equal(a.Annotations, b.Annotations) && sameSpec(a.Spec, b.Spec)
}

func sameSpec(x, y pluginsv1alpha1.WasmPluginSpec) bool {
	if !sameSettings(x.Settings, y.Settings) {
		return false
	}
	x.Settings, y.Settings = nil, nil // of shallow copies
	return reflect.DeepEqual(x, y)
}

// sameSettings reports whether two settings have equal values: the API server formats JSON in its own way.
func sameSettings(a, b *runtime.RawExtension) bool {
	if a == nil || b == nil {
		return a == b
	}
	var x, y any
	if utiljson.Unmarshal(a.Raw, &x) != nil || utiljson.Unmarshal(b.Raw, &y) != nil {
		return string(a.Raw) == string(b.Raw)
	}
	return reflect.DeepEqual(x, y)
}

// defaulted sets the defaults that the API server would set, so that a WasmPlugin that was read from the API server
// compares as equal. It sets nothing inside an absent object.
func defaulted(spec pluginsv1alpha1.WasmPluginSpec) pluginsv1alpha1.WasmPluginSpec {
	spec.ServiceAccountName = spec.ServiceAccount()
	if !reflect.ValueOf(spec.Security).IsZero() {
		spec.Security = spec.Security.WithDefaults()
	}
	if spec.Runtime != (pluginsv1alpha1.Runtime{}) {
		spec.Runtime = spec.Runtime.WithDefaults()
	}
	return spec
}
