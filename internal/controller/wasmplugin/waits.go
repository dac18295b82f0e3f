// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
)

// waits records which plugins wait for permissions or for kinds.
type waits struct {
	mu      sync.Mutex
	waiting map[types.NamespacedName]waiting
}

// waiting is what a plugin waits for.
type waiting struct {
	scope *scope
	// missing are the missing permissions that the plugin's status reports.
	missing string
	// unserved is the message in the plugin's status if the plugin waits for kinds. Their resources are unknown until
	// then.
	unserved string
}

func (w *waits) forPermissions(name types.NamespacedName, s *scope, missing []plan.Permission) {
	w.put(name, waiting{scope: s, missing: fmt.Sprint(missing)})
}

// forKinds records that a plugin waits until the API server serves its kinds in another way.
func (w *waits) forKinds(name types.NamespacedName, p plan.Plan, unserved string) {
	w.put(name, waiting{scope: &scope{plan: p}, unserved: unserved})
}

func (w *waits) put(name types.NamespacedName, what waiting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting == nil {
		w.waiting = map[types.NamespacedName]waiting{}
	}
	w.waiting[name] = what
}

func (w *waits) end(name types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting, name)
}

func (w *waits) get(name types.NamespacedName) (waiting, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	what, ok := w.waiting[name]
	return what, ok
}

// names returns the plugins that wait with a plan for which matches returns true.
func (w *waits) names(matches func(plan.Plan) bool) []types.NamespacedName {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []types.NamespacedName
	for name, what := range w.waiting {
		if matches(what.scope.plan) {
			out = append(out, name)
		}
	}
	return out
}
