// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// swap replaces the serving revision with the new one, and makes the plugin's controller watch what the new one needs.
// A new revision reconciles every object again.
func (r *Reconciler) swap(ctx context.Context, l *load) *problem {
	current := r.serving.get(l.name)
	sameWatch := current != nil && r.Watches.Running(l.name, l.plan.watch)
	if l.runner != nil {
		r.install(l)
	} else {
		r.renew(l)
	}
	if !r.leads.Load() {
		return nil
	}
	if !l.plan.receivesEvents() {
		r.Watches.Stop(l.name)
		return nil
	}
	current = r.serving.get(l.name)
	if err := r.Watches.Ensure(ctx, l.name, l.plan.watch, current.dispatcher); err != nil {
		return watchProblem("the plugin's watches could not be started", err)
	}
	if l.runner != nil && sameWatch {
		if err := r.Watches.Resync(ctx, l.name); err != nil {
			return watchProblem("the plugin's objects could not be listed for the new revision", err)
		}
	}
	return nil
}

// renew keeps the serving revision, and takes from the load what does not need a new revision.
func (r *Reconciler) renew(l *load) {
	next := r.serving.get(l.name).using(l.kinds)
	next.status.Source = l.source
	next.dispatcher.rights.Store(next.rights)
	r.serving.set(l.name, next)
}

// install makes the loaded revision the serving one. The previous revision is kept until the first calls of the new one
// are evaluated.
func (r *Reconciler) install(l *load) {
	slot := r.Slots.Slot(l.name)
	current := r.serving.get(l.name)
	next := &revision{
		fingerprint: l.plan.fingerprint(l.module.Digest),
		digest:      l.module.Digest,
		metadata:    l.plan.metadata,
		plan:        l.plan,
		status:      r.statusOf(l),
		rights:      &rights{plan: l.plan, kinds: l.kinds, finalizer: l.finalizer},
		serving:     l.serving,
		exports:     l.info.Exports,
		track:       plugin.NewTrack(func() { r.attention.call(l.name) }),
	}
	if current != nil {
		// The plugin's controller keeps its dispatcher across revisions.
		next.dispatcher = current.dispatcher
		next.dispatcher.rights.Store(next.rights)
		next.probation = &probation{before: current, until: r.Clock.Now().Add(probationTime)}
		current.probation, current.rejected = nil, nil
	} else {
		next.dispatcher = newDispatcher(r, l, slot)
		next.dispatcher.rights.Store(next.rights)
	}
	r.announce(l.plugin, next, current)
	slot.Try(next.track.Runner(l.runner))
	next.serving()
	r.serving.set(l.name, next)

	status := &l.plugin.Status
	if was := status.Revision; was != nil && was.Digest != next.status.Digest {
		status.PreviousDigest = was.Digest
	}
	status.Revision = &next.status
	status.LastError = ""
}

func (r *Reconciler) statusOf(l *load) pluginsv1alpha1.Revision {
	m := l.plan.metadata
	return pluginsv1alpha1.Revision{
		Digest:        l.module.Digest.String(),
		ShortDigest:   l.module.Digest.Short(),
		Version:       m.Version,
		Language:      m.Language,
		ABI:           m.ABI,
		Source:        l.source,
		Types:         l.plan.types(),
		LoadedAt:      metav1.NewTime(r.Clock.Now().Truncate(time.Second)),
		SizeBytes:     int64(len(l.module.Bytes)),
		FetchMillis:   l.fetchTime.Milliseconds(),
		CompileMillis: (l.describeTime + l.info.Compile).Milliseconds(),
		Cached:        l.info.Cached,
	}
}
