// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"cmp"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// InFlight limits the bytes of admission requests that are read and not answered yet. A request takes about four times
// its bytes of memory, until it is answered. A field that is 0 has its default.
type InFlight struct {
	// Total is for all plugins: 64 MiB by default.
	Total int64
	// Namespace is for all plugins of one namespace: 32 MiB by default.
	Namespace int64
	// Plugin is for one plugin: 16 MiB by default.
	Plugin int64
	// Reserve is the part of Total that is kept for namespaces with at most Small in flight, so that the large requests
	// of some do not keep the usual ones of others out: 16 MiB and 1 MiB by default.
	Reserve, Small int64
}

// withDefaults returns the limits without zeros.
func (l InFlight) withDefaults() InFlight {
	return InFlight{
		Total: cmp.Or(l.Total, 64<<20), Namespace: cmp.Or(l.Namespace, 32<<20), Plugin: cmp.Or(l.Plugin, 16<<20),
		Reserve: cmp.Or(l.Reserve, 16<<20), Small: cmp.Or(l.Small, 1<<20),
	}
}

// inFlight counts the bytes in flight.
type inFlight struct {
	limits InFlight

	mu         sync.Mutex
	total      int64
	namespaces map[string]int64
	plugins    map[types.NamespacedName]int64
}

func newInFlight(limits InFlight) *inFlight {
	return &inFlight{limits: limits.withDefaults(), namespaces: map[string]int64{}, plugins: map[types.NamespacedName]int64{}}
}

// acquire counts bytes for a plugin's request, if they are within all limits. Without waiting: what waits has
// connections and time of the API server, and there may be no end of it.
func (f *inFlight) acquire(plugin types.NamespacedName, bytes int64) (release func(), ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	total := f.limits.Total
	if f.namespaces[plugin.Namespace]+bytes > f.limits.Small {
		total -= f.limits.Reserve
	}
	if f.plugins[plugin]+bytes > f.limits.Plugin || f.namespaces[plugin.Namespace]+bytes > f.limits.Namespace || f.total+bytes > total {
		return nil, false
	}
	f.add(plugin, bytes)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.add(plugin, -bytes)
	}, true
}

// add changes the counts. What is at zero is not kept.
func (f *inFlight) add(plugin types.NamespacedName, bytes int64) {
	f.total += bytes
	if f.namespaces[plugin.Namespace] += bytes; f.namespaces[plugin.Namespace] == 0 {
		delete(f.namespaces, plugin.Namespace)
	}
	if f.plugins[plugin] += bytes; f.plugins[plugin] == 0 {
		delete(f.plugins, plugin)
	}
}
