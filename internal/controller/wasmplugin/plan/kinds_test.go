// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

func TestWith(t *testing.T) {
	t.Parallel()
	ref := func(apiVersion, kind string) pluginsv1alpha1.TypeReference {
		return pluginsv1alpha1.TypeReference{APIVersion: apiVersion, Kind: kind}
	}
	core := func(kind string) schema.GroupVersionKind { return schema.GroupVersionKind{Version: "v1", Kind: kind} }
	beta := schema.GroupVersionKind{Group: "a.example", Version: "v1beta1", Kind: "A"}
	recorded := []pluginsv1alpha1.TypeReference{ref("a.example/v1", "A"), ref("v1", "Secret")}
	for name, tc := range map[string]struct {
		kinds        []schema.GroupVersionKind
		joined, left []pluginsv1alpha1.TypeReference
	}{
		"none":            {nil, recorded, recorded},
		"another":         {[]schema.GroupVersionKind{core("ConfigMap")}, []pluginsv1alpha1.TypeReference{ref("a.example/v1", "A"), ref("v1", "ConfigMap"), ref("v1", "Secret")}, recorded},
		"the same":        {[]schema.GroupVersionKind{core("Secret")}, recorded, recorded[:1]},
		"another version": {[]schema.GroupVersionKind{beta}, []pluginsv1alpha1.TypeReference{ref("a.example/v1beta1", "A"), ref("v1", "Secret")}, recorded[1:]},
	} {
		if diff := cmp.Diff(tc.joined, With(recorded, tc.kinds)); diff != "" {
			t.Errorf("%s: joined: %s", name, diff)
		}
		if diff := cmp.Diff(tc.left, Without(recorded, tc.kinds)); diff != "" {
			t.Errorf("%s: without: %s", name, diff)
		}
	}
}
