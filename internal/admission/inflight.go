// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"cmp"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// InFlight limits the bytes of admission requests that have been read and not answered yet. Until it is answered, a
// request takes about four times its bytes of memory. A field that is 0 has its default.
type InFlight struct {
	// Total is the limit of all plugins together: 64 MiB by default.
	Total int64
	// Namespace is the limit of all plugins of one namespace: 32 MiB by default.
	Namespace int64
	// Plugin is the limit of one plugin: 16 MiB by default.
	Plugin int64
	// Reserve is the part of Total that is reserved for namespaces with at most Small in flight, so that large requests
	// of some namespaces do not block the usual requests of others: 16 MiB and 1 MiB by default.
	Reserve, Small int64
}

// withDefaults returns the limits with the defaults set.
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

// acquire counts bytes for a plugin's request, if they are within all limits. It does not wait, because a waiting
// request uses a connection and the timeout of the API server, and the number of waiting requests would have no limit.
func (f *inFlight) acquire(plugin types.NamespacedName, bytes int64) (done func(), ok bool) {
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

// add changes the counts, and removes those that become zero.
func (f *inFlight) add(plugin types.NamespacedName, bytes int64) {
	f.total += bytes
	if f.namespaces[plugin.Namespace] += bytes; f.namespaces[plugin.Namespace] == 0 {
		delete(f.namespaces, plugin.Namespace)
	}
	if f.plugins[plugin] += bytes; f.plugins[plugin] == 0 {
		delete(f.plugins, plugin)
	}
}
