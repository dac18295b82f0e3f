// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// staleAfter is how soon a plugin is reconciled again if its last status is not in the cache yet.
const staleAfter = 20 * time.Millisecond

// freshness remembers the last status that was written for each plugin. A reconcile soon after it must not start from
// an older status: its patch, which is a difference, would leave out what the older status happens to have right.
type freshness struct {
	mu      sync.Mutex
	written map[types.NamespacedName]written
}

type written struct {
	uid     types.UID
	version string
}

// wrote remembers the API server's answer to a patch.
func (f *freshness) wrote(name types.NamespacedName, wp *pluginsv1alpha1.WasmPlugin) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.written == nil {
		f.written = map[types.NamespacedName]written{}
	}
	f.written[name] = written{uid: wp.UID, version: wp.ResourceVersion}
}

// stale reports whether an object is older than its last written status.
func (f *freshness) stale(name types.NamespacedName, wp *pluginsv1alpha1.WasmPlugin) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	w, ok := f.written[name]
	if !ok || w.uid != wp.UID {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(wp.ResourceVersion, w.version)
	return err == nil && order < 0
}

func (f *freshness) forget(name types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.written, name)
}
