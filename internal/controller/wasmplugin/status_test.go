// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

func TestFreshness_stale(t *testing.T) {
	t.Parallel()
	name := types.NamespacedName{Namespace: "shop", Name: "tags"}
	at := func(uid, version string) *pluginsv1alpha1.WasmPlugin {
		return &pluginsv1alpha1.WasmPlugin{ObjectMeta: metav1.ObjectMeta{UID: types.UID(uid), ResourceVersion: version}}
	}
	var f freshness
	if f.stale(name, at("a", "1")) {
		t.Error("nothing was written, and the object is said to be stale")
	}
	f.wrote(name, at("a", "99"))
	for reason, tc := range map[string]struct {
		is    *pluginsv1alpha1.WasmPlugin
		stale bool
	}{
		"before what was written":           {at("a", "98"), true},
		"with fewer digits":                 {at("a", "9"), true},
		"what was written":                  {at("a", "99"), false},
		"somebody wrote since":              {at("a", "100"), false},
		"another object of the same name":   {at("b", "1"), false},
		"a version that cannot be compared": {at("a", "x"), false},
	} {
		if got := f.stale(name, tc.is); got != tc.stale {
			t.Errorf("%s: stale %v, want %v", reason, got, tc.stale)
		}
	}
	f.forget(name)
	if f.stale(name, at("a", "1")) {
		t.Error("what was forgotten is remembered")
	}
}
