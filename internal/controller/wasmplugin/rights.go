// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/k1s-io/k1s/internal/access"
	apikinds "github.com/k1s-io/k1s/internal/kinds"
	"github.com/k1s-io/k1s/internal/watch"
)

const (
	// checkEvery is the shortest time between two checks of one plugin's permissions, however often they change.
	checkEvery = time.Second
	// settleTime is how long permissions are checked again after a change, at growing intervals: the API server
	// observes a change with a delay.
	settleTime = apikinds.SettleTime
	// checks is how many plugins' permissions are checked at once.
	checks = 4
)

// rights are the permissions that a plugin needs on the kinds that it targets or watches.
type rights struct {
	plan  plan
	kinds kinds
	// finalizer is nil for a plugin that does not finalize.
	finalizer Finalizer
}

// asker decides whether an identity has a permission.
type asker func(ctx context.Context, id access.Identity, action access.Action) (access.Decision, error)

// lacks returns the missing permissions.
func (r *rights) lacks(ctx context.Context, ask asker) ([]lack, error) {
	var out []lack
	for _, gvk := range r.plan.kinds() {
		mapping := r.kinds[gvk]
		for _, namespace := range r.plan.scopes(mapping) {
			missing := lack{namespace: namespace, resource: resourceName(mapping)}
			for _, verb := range r.plan.needs(gvk) {
				d, err := ask(ctx, r.plan.identity, action(mapping, verb, namespace))
				if err != nil {
					return nil, err
				}
				if !d.Allowed {
					missing.verbs = append(missing.verbs, verb)
				}
			}
			if len(missing.verbs) > 0 {
				out = append(out, missing)
			}
		}
	}
	return out, nil
}

// watchVerbs returns the verbs that the plugin's ServiceAccount, and the operator on its behalf, need on a watched
// kind.
func (p plan) watchVerbs(gvk schema.GroupVersionKind) []string {
	verbs := []string{"list", "watch"}
	if slices.Contains(p.finalized(), gvk) {
		verbs = append(verbs, "patch")
	}
	return verbs
}

// needs returns the verbs that the ServiceAccount needs on a kind.
func (p plan) needs(gvk schema.GroupVersionKind) []string {
	var verbs []string
	if slices.Contains(p.watched(), gvk) {
		verbs = p.watchVerbs(gvk)
	}
	if slices.ContainsFunc(p.targets, func(t watch.Target) bool { return t.GVK == gvk }) {
		verbs = append(verbs, p.admissionVerbs()...)
	}
	return verbs
}

// describe returns the verbs on the plugin's target kinds as text, for a message.
func (p plan) describe() string {
	if len(p.targets) == 0 {
		return "act for"
	}
	verbs := p.needs(p.targets[0].GVK)
	if last := len(verbs) - 1; last > 0 {
		return strings.Join(verbs[:last], ", ") + " and " + verbs[last]
	}
	return strings.Join(verbs, "")
}

// scopes returns the namespaces in which the plugin needs permissions on a kind; the empty one means all namespaces.
func (p plan) scopes(mapping *meta.RESTMapping) []string {
	if p.allowlist.Everywhere() || mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return []string{""}
	}
	return p.allowlist.Namespaces
}

// guard records which plugins wait for permissions, and checks a plugin's permissions when RBAC has changed. It checks
// nothing else: to load a plugin again means to read its module, which costs much for a change that does not concern
// it.
type guard struct {
	mu      sync.Mutex
	waiting map[types.NamespacedName]waiting
	recent  map[types.NamespacedName]*recent
	queue   workqueue.TypedDelayingInterface[types.NamespacedName]
}

// waiting is what a plugin waits for.
type waiting struct {
	rights *rights
	// lacks are the missing permissions that the plugin's status reports.
	lacks string
	// unserved is the message in the plugin's status if the plugin waits for kinds. Their resources are unknown until
	// then.
	unserved string
}

// recent is a plugin whose permissions have changed recently.
type recent struct {
	changed, looked time.Time
}

func (g *guard) wait(name types.NamespacedName, r *rights, lacks []lack) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting == nil {
		g.waiting = map[types.NamespacedName]waiting{}
	}
	g.waiting[name] = waiting{rights: r, lacks: fmt.Sprint(lacks)}
}

// waitForKinds records that a plugin waits until the API server serves its kinds in another way.
func (g *guard) waitForKinds(name types.NamespacedName, p plan, unserved string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting == nil {
		g.waiting = map[types.NamespacedName]waiting{}
	}
	g.waiting[name] = waiting{rights: &rights{plan: p}, unserved: unserved}
}

func (g *guard) waitsNoMore(name types.NamespacedName) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.waiting, name)
}

func (g *guard) waits(name types.NamespacedName) (waiting, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w, ok := g.waiting[name]
	return w, ok
}

// RightsChanged is notified of changes of RBAC. It does not block.
func (r *Reconciler) RightsChanged(changes []access.Change) {
	concerned := func(x *rights) bool {
		for _, c := range changes {
			if c.Affects(x.plan.identity, x.plan.allowlist.Namespaces...) {
				return true
			}
		}
		return false
	}
	r.scheduleChecks(r.serving.names(func(x *revision) bool { return concerned(x.rights) }), func(p plan) bool { return concerned(&rights{plan: p}) })
}

// scheduleChecks has the given plugins checked for a while, and also the waiting plugins whose plan is concerned.
func (r *Reconciler) scheduleChecks(names []types.NamespacedName, concerned func(plan) bool) {
	g := &r.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, w := range g.waiting {
		if concerned(w.rights.plan) {
			names = append(names, name)
		}
	}
	if g.queue == nil {
		return // the operator starts or stops; every plugin is checked when it is loaded
	}
	now := r.Clock.Now()
	for _, name := range names {
		if g.recent[name] == nil {
			g.recent[name] = &recent{}
		}
		g.recent[name].changed = now
		g.queue.AddAfter(name, r.Timing.checkEvery()-now.Sub(g.recent[name].looked))
	}
}

// watchRights checks the plugins whose permissions have changed, until the context ends.
func (r *Reconciler) watchRights(ctx context.Context) error {
	queue := workqueue.NewTypedDelayingQueue[types.NamespacedName]()
	g := &r.guard
	g.mu.Lock()
	g.queue, g.recent = queue, map[types.NamespacedName]*recent{}
	g.mu.Unlock()
	var workers sync.WaitGroup
	for range checks {
		workers.Go(func() {
			for {
				name, ended := queue.Get()
				if ended {
					return
				}
				r.look(ctx, name)
				queue.Done(name)
			}
		})
	}
	<-ctx.Done()
	g.mu.Lock()
	g.queue = nil
	g.mu.Unlock()
	queue.ShutDown()
	workers.Wait()
	return nil
}

// begin records that the check of a plugin begins.
func (g *guard) begin(name types.NamespacedName, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if state := g.recent[name]; state != nil {
		state.looked = now
	}
}

// look enqueues a plugin if its permissions or kinds are not what its status says.
func (r *Reconciler) look(ctx context.Context, name types.NamespacedName) {
	if ctx.Err() != nil {
		return
	}
	// A change that arrives during the check is checked when it is due, not right after this check.
	r.guard.begin(name, r.Clock.Now())
	news, err := r.hasNews(ctx, name)
	if err != nil {
		log.FromContext(ctx).Error(err, "Failed to check a plugin's permissions", "plugin", name)
	}
	if news {
		r.attention.call(name)
	}
	g := &r.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	state := g.recent[name]
	if state == nil || g.queue == nil {
		return
	}
	state.looked = r.Clock.Now()
	age := state.looked.Sub(state.changed)
	if age > r.Timing.settleTime() {
		delete(g.recent, name)
		return
	}
	g.queue.AddAfter(name, max(r.Timing.checkEvery(), age))
}

// hasNews reports whether a serving plugin lacks permissions, whether a waiting plugin lacks others than before, or
// whether the kinds of either are served in another way.
func (r *Reconciler) hasNews(ctx context.Context, name types.NamespacedName) (bool, error) {
	if news, err := r.hasNewKinds(ctx, name); err != nil || news {
		return news, err
	}
	if s := r.serving.get(name); s != nil && s.unserved == nil && (r.Watches.Running(name, s.plan.watch) || len(s.plan.admissionVerbs()) > 0) {
		lacks, err := s.rights.lacks(ctx, r.Authorizer.Authorize)
		if err != nil || len(lacks) > 0 {
			return err == nil, err
		}
	}
	w, ok := r.guard.waits(name)
	if !ok || w.unserved != "" {
		return false, nil
	}
	lacks, err := w.rights.lacks(ctx, r.Authorizer.Authorize)
	return err == nil && fmt.Sprint(lacks) != w.lacks, err
}
