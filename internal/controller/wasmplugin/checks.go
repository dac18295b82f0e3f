// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	apikinds "github.com/k1s-io/k1s/internal/kinds"
	"github.com/k1s-io/k1s/internal/plugin"
)

const (
	// checkEvery is the shortest time between two checks of one plugin's permissions, however often they change.
	checkEvery = time.Second
	// settleTime is how long permissions are checked again after a change, at growing intervals: the API server
	// observes a change with a delay.
	settleTime = apikinds.SettleTime
	// checkWorkers is how many plugins' permissions are checked at once.
	checkWorkers = 4
)

// checks checks a plugin's permissions and kinds when RBAC or kinds have changed, and enqueues the plugin if they are
// not what its status says. It checks nothing else: to load a plugin again means to read its module, which costs much
// for a change that does not concern it.
type checks struct {
	permissions permissions
	revisions   *Revisions
	waits       *waits
	// watching reports whether the serving revision of a plugin receives events.
	watching func(name types.NamespacedName, x *revision) bool
	// enqueue enqueues a plugin.
	enqueue func(types.NamespacedName)
	clock   clock.PassiveClock
	// every and settle are checkEvery and settleTime, or others in a test.
	every, settle time.Duration

	mu     sync.Mutex
	recent map[types.NamespacedName]*recent
	queue  workqueue.TypedDelayingInterface[types.NamespacedName]
}

// recent is a plugin whose permissions or kinds have changed recently.
type recent struct {
	changed, checked time.Time
}

// permissionsChanged schedules checks of the plugins whose permissions may have changed.
func (c *checks) permissionsChanged(changes []rbac.Change) {
	c.schedule(func(p plan.Plan) bool {
		return slices.ContainsFunc(changes, func(change rbac.Change) bool { return change.Affects(p.Identity, p.Allowlist.Namespaces...) })
	})
}

// kindsChanged schedules checks of the plugins with kinds of the given groups; no groups means all.
func (c *checks) kindsChanged(groups []string) {
	c.schedule(func(p plan.Plan) bool {
		return len(groups) == 0 || slices.ContainsFunc(p.Kinds(), func(gvk schema.GroupVersionKind) bool { return slices.Contains(groups, gvk.Group) })
	})
}

// schedule has the serving and the waiting plugins with a concerned plan checked for a while.
func (c *checks) schedule(concerned func(plan.Plan) bool) {
	names := c.revisions.names(func(x *revision) bool { return concerned(x.plan) })
	names = append(names, c.waits.names(concerned)...)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue == nil {
		return // the operator starts or stops; every plugin is checked when it is loaded
	}
	now := c.clock.Now()
	for _, name := range names {
		if c.recent[name] == nil {
			c.recent[name] = &recent{}
		}
		c.recent[name].changed = now
		c.queue.AddAfter(name, c.every-now.Sub(c.recent[name].checked))
	}
}

// Start implements manager.Runnable.
func (c *checks) Start(ctx context.Context) error {
	queue := workqueue.NewTypedDelayingQueue[types.NamespacedName]()
	c.mu.Lock()
	c.queue, c.recent = queue, map[types.NamespacedName]*recent{}
	c.mu.Unlock()
	var workers sync.WaitGroup
	for range checkWorkers {
		workers.Go(func() {
			for {
				name, ended := queue.Get()
				if ended {
					return
				}
				c.check(ctx, name)
				queue.Done(name)
			}
		})
	}
	<-ctx.Done()
	c.mu.Lock()
	c.queue = nil
	c.mu.Unlock()
	queue.ShutDown()
	workers.Wait()
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica checks the plugins that it has loaded.
func (*checks) NeedLeaderElection() bool { return false }

// begin records that the check of a plugin begins.
func (c *checks) begin(name types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state := c.recent[name]; state != nil {
		state.checked = c.clock.Now()
	}
}

// check enqueues a plugin if its permissions or kinds are not what its status says.
func (c *checks) check(ctx context.Context, name types.NamespacedName) {
	if ctx.Err() != nil {
		return
	}
	// A change that arrives during the check is checked when it is due, not right after this check.
	c.begin(name)
	changed, err := c.hasChanged(ctx, name)
	if err != nil {
		log.FromContext(ctx).Error(err, "Failed to check a plugin's permissions", "plugin", name)
	}
	if changed {
		c.enqueue(name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	state := c.recent[name]
	if state == nil || c.queue == nil {
		return
	}
	state.checked = c.clock.Now()
	age := state.checked.Sub(state.changed)
	if age > c.settle {
		delete(c.recent, name)
		return
	}
	c.queue.AddAfter(name, max(c.every, age))
}

// hasChanged reports whether a serving plugin lacks permissions, whether a waiting plugin lacks others than before, or
// whether the kinds of either are served in another way.
func (c *checks) hasChanged(ctx context.Context, name types.NamespacedName) (bool, error) {
	if changed, err := c.haveKindsChanged(ctx, name); err != nil || changed {
		return changed, err
	}
	authorize := c.permissions.authorizer.Authorize
	if x := c.revisions.get(name); x != nil && x.unserved == nil && (c.watching(name, x) || len(x.plan.AdmissionVerbs()) > 0) {
		lacks, err := missing(ctx, x.plan, x.kinds, authorize)
		if err != nil || len(lacks) > 0 {
			return err == nil, err
		}
	}
	w, ok := c.waits.get(name)
	if !ok || w.unserved != "" {
		return false, nil
	}
	lacks, err := missing(ctx, w.scope.plan, w.scope.kinds, authorize)
	return err == nil && fmt.Sprint(lacks) != w.missing, err
}

// haveKindsChanged reports whether the kinds of a plugin are served in another way than at its last reconcile.
func (c *checks) haveKindsChanged(ctx context.Context, name types.NamespacedName) (bool, error) {
	var unserved *plugin.LoadError
	if x := c.revisions.get(name); x != nil {
		resolved, err := c.permissions.resolve(ctx, x.plan)
		switch {
		case errors.As(err, &unserved) && (x.unserved == nil || x.unserved.message != unserved.Error()):
			return true, nil
		case err == nil && (x.unserved != nil || !resolved.Equal(x.kinds)):
			return true, nil //nolint:nilerr // the next load reports this error
		case err != nil && !errors.As(err, &unserved):
			return false, err
		}
	}
	w, ok := c.waits.get(name)
	if !ok || w.unserved == "" {
		return false, nil
	}
	_, err := c.permissions.resolve(ctx, w.scope.plan)
	if err != nil && !errors.As(err, &unserved) {
		return false, err
	}
	return err == nil || unserved.Error() != w.unserved, nil
}
