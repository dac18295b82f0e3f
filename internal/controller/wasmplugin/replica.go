// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// readyAfter is how long a replica waits for its plugins at most before it says that it is ready: one that
// does not load must not keep the operator from serving the others.
const readyAfter = time.Minute

// lead makes this replica the one that watches, writes and tells. The others load what holds requests up,
// and nothing else.
func (r *Reconciler) lead(ctx context.Context) error {
	r.leads.Store(true)
	for _, req := range r.plugins(ctx) {
		r.attention.call(req.NamespacedName)
	}
	r.sweepWebhooks(ctx)
	<-ctx.Done()
	return nil
}

// standsBy reports whether a plugin is none of this replica's business: it is told of events, which only the
// leader does.
func (r *Reconciler) standsBy(p plan) bool {
	return !r.leads.Load() && len(p.admissionVerbs()) == 0
}

// rounds knows which plugins have been looked at since this replica began.
type rounds struct {
	mu    sync.Mutex
	seen  map[types.NamespacedName]bool
	done  bool
	since time.Time
}

func (s *rounds) saw(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return
	}
	if s.seen == nil {
		s.seen = map[types.NamespacedName]bool{}
	}
	s.seen[name] = true
}

// complete reports whether all have been seen, or enough time has passed. Once it is, it stays so.
func (s *rounds) complete(names []types.NamespacedName, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() {
		s.since = now
	}
	if !s.done && now.Sub(s.since) < readyAfter {
		for _, name := range names {
			if !s.seen[name] {
				return false
			}
		}
	}
	s.done, s.seen = true, nil
	return true
}

// Ready is a check of readiness: requests are sent to a replica only after every plugin has been looked at.
func (r *Reconciler) Ready(req *http.Request) error {
	var list pluginsv1alpha1.WasmPluginList
	if err := r.Client.List(req.Context(), &list); err != nil {
		return err
	}
	names := make([]types.NamespacedName, len(list.Items))
	for i := range list.Items {
		names[i] = client.ObjectKeyFromObject(&list.Items[i])
	}
	if !r.rounds.complete(names, r.Clock.Now()) {
		return errors.New("plugins are being loaded")
	}
	return nil
}
