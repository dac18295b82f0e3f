// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
)

// readyAfter is how long a replica waits for its plugins at most before it is ready: a plugin that does not load must
// not keep the operator from serving the others.
const readyAfter = time.Minute

// replica is whether this replica is the leader, which watches, writes and records Events. The other replicas load the
// plugins that need webhooks, and nothing else.
type replica struct{ leader atomic.Bool }

func (r *replica) leads() bool { return r.leader.Load() }

// isStandby reports whether this replica does not load a plugin because the plugin only receives events, which only the
// leader delivers.
func (r *replica) isStandby(p plan.Plan) bool { return !r.leads() && len(p.AdmissionVerbs()) == 0 }

// lead makes this replica the leader. It is a manager.RunnableFunc.
func (r *Reconciler) lead(ctx context.Context) error {
	r.replica.leader.Store(true)
	for _, req := range r.plugins(ctx) {
		r.enqueuer.enqueue(req.NamespacedName)
	}
	r.publish.webhooks.sweep(ctx, r.client)
	<-ctx.Done()
	return nil
}

// readiness records which plugins have been reconciled since this replica started.
type readiness struct {
	mu    sync.Mutex
	seen  map[types.NamespacedName]bool
	done  bool
	since time.Time
}

func (s *readiness) saw(name types.NamespacedName) {
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

// complete reports whether all plugins have been reconciled, or enough time has passed. Once it returns true, it always
// does.
func (s *readiness) complete(names []types.NamespacedName, now time.Time) bool {
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

// Ready is a readiness check: a replica receives admission requests only after it has reconciled every plugin.
func (r *Reconciler) Ready(req *http.Request) error {
	var list pluginsv1alpha1.WasmPluginList
	if err := r.client.List(req.Context(), &list); err != nil {
		return err
	}
	names := make([]types.NamespacedName, len(list.Items))
	for i := range list.Items {
		names[i] = client.ObjectKeyFromObject(&list.Items[i])
	}
	if !r.readiness.complete(names, r.revisions.clock.Now()) {
		return errors.New("plugins are being loaded")
	}
	return nil
}
