// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/oci/blobs"
	"github.com/k1s-io/k1s/internal/source/oci/dockerconfig"
)

const (
	// defaultPoll is how often a tag with the pullPolicy Always is resolved again by default.
	defaultPoll = 5 * time.Minute
	// leastPoll is the shortest interval: after each poll, the plugin is reconciled, which reads its module.
	leastPoll = 10 * time.Second
)

// Options configure a Source.
type Options struct {
	Registries Registries
	Cache      *blobs.Dir
	// MaxBytes is the maximum size of an uncompressed module.
	MaxBytes int64
	Clock    clock.PassiveClock
	// Metrics may be nil.
	Metrics Metrics
	// MinPoll is the shortest interval between polls. 0 means 10 s. It is for tests.
	MinPoll time.Duration
}

// Metrics counts pulls.
type Metrics interface {
	// Begin creates the series of a plugin.
	Begin(plugin string)
	// Pulled counts a pull of a plugin ("namespace/name"): its result, which is Succeeded, the reason of its failure, or
	// ResultCanceled, the downloaded bytes, what was in the cache, and how long it took.
	Pulled(plugin, result string, bytes, hits int64, took time.Duration)
}

// ResultCanceled is the result of a pull that the operator ended: its plugin was changed or deleted, or the operator stops.
// That says nothing about the registry, but what was downloaded until then counts.
const ResultCanceled = "Canceled"

// noMetrics discards what it is told.
type noMetrics struct{}

func (noMetrics) Begin(string)                                       {}
func (noMetrics) Pulled(string, string, int64, int64, time.Duration) {}

// Source pulls the modules of plugins. It is a manager.Runnable: pulls run from Start until its context ends.
type Source struct {
	puller  puller
	clock   clock.PassiveClock
	metrics Metrics
	minPoll time.Duration
	slots   slots

	mu sync.Mutex
	// count numbers the tasks.
	count int64
	ctx   context.Context //nolint:containedctx // the life of the tasks that Fetch starts is that of Start
	tasks map[types.NamespacedName]*task
	// work are the running pulls, also those of plugins that were forgotten.
	work sync.WaitGroup
	// changed is notified of the plugin when the result of its task has changed.
	changed func(types.NamespacedName)
}

// New returns a Source.
func New(o Options) *Source {
	if o.Metrics == nil {
		o.Metrics = noMetrics{}
	}
	o.Registries.timeouts = o.Registries.timeouts.orDefaults()
	return &Source{
		puller: puller{
			registries: o.Registries, cache: o.Cache, pulls: newPulls(o.MaxBytes, o.Registries.timeouts.share), maxBytes: o.MaxBytes, clock: o.Clock,
		},
		clock: o.Clock, metrics: o.Metrics, minPoll: cmp.Or(o.MinPoll, leastPoll), tasks: map[types.NamespacedName]*task{},
		changed: func(types.NamespacedName) {},
	}
}

// Request is what a plugin wants to have pulled.
type Request struct {
	Plugin  types.NamespacedName
	Source  pluginsv1alpha1.OCISource
	Keyring dockerconfig.Keyring
	// CABundle are CAs in PEM, or empty.
	CABundle []byte
	// Signatures are those that the plugin requires; nil means none.
	Signatures *Signatures
}

// Result is what is known about a plugin's artifact.
type Result struct {
	Module plugin.Module
	Artifact
	// Failure is why the last request failed, or nil.
	Failure error
	// PolledAt is when the tag was last polled, whether the registry answered or not. A retry within the poll interval is
	// no poll. It is zero if the tag is not polled. Errors leave it set.
	PolledAt time.Time
	// Again is the delay before Fetch should be called again; 0 means never.
	Again time.Duration
}

// OnChange sets the function that is notified of a plugin when Fetch would return something else. It is called before
// Start.
func (s *Source) OnChange(changed func(types.NamespacedName)) { s.changed = changed }

// Start lets pulls run until the context ends, and waits for their end.
func (s *Source) Start(ctx context.Context) error {
	s.mu.Lock()
	s.ctx = ctx
	waiting := slices.Collect(maps.Keys(s.tasks))
	s.mu.Unlock()
	for _, name := range waiting {
		s.changed(name)
	}
	<-ctx.Done()
	s.mu.Lock()   // begin starts no work from now on
	s.mu.Unlock() //nolint:staticcheck // the critical section is empty: it orders begin before Wait
	s.work.Wait()
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica pulls.
func (s *Source) NeedLeaderElection() bool { return false }

// Fetch returns the plugin's module, from the cache. If it has to be pulled, or asked for at the registry, that happens
// in the background, and OnChange's function is notified. Until the first pull has ended, Fetch returns a LoadError with
// the reason Pulling. Errors are *plugin.LoadError, with Result.Again set.
func (s *Source) Fetch(ctx context.Context, r Request) (Result, error) {
	j, err := s.job(r)
	if err != nil {
		s.stop(r.Plugin) // the previous revision may still serve
		return Result{}, err
	}
	t := s.taskFor(r, j)
	module, found, err := s.puller.cached(ctx, ownerOf(r.Plugin), j)
	if err == nil {
		t.used(s.puller.cache)
	}
	t.due(s, err == nil, found)
	failure := t.lastFailure()
	result := Result{Again: t.again(s.clock.Now()), PolledAt: t.lastPoll(found.ResolvedAt)}
	switch {
	case err != nil && !errors.Is(err, blobs.ErrMissing) && !errors.Is(err, errUnverified): // it was pulled before, and cannot be used
		return result, problemOf(err, j.reference, 1, j.access.keyring)
	case err == nil && (failure == nil || tolerable(failure, j.follow)):
		result.Module, result.Artifact = module, found
		if failure != nil { // not a nil *plugin.LoadError in a non-nil error
			result.Failure = failure
		}
		return result, nil
	case failure != nil && isTransient(failure) && errors.Is(err, errUnverified):
		return result, plugin.Reject(failure.Reason, "%s; the operator's cache has a copy, but its signature has to be verified first", failure)
	case failure != nil && isTransient(failure):
		return result, plugin.Reject(failure.Reason, "%s; the operator's cache (--cache-dir) has no copy of it", failure)
	case failure != nil:
		return result, failure
	default:
		return result, plugin.Reject(pluginsv1alpha1.ReasonPulling, "%s is being pulled", j.reference)
	}
}

// tolerable reports whether a copy in the cache is used although the last request failed. A tag that is followed must
// exist.
func tolerable(failure *plugin.LoadError, follow bool) bool {
	return isTransient(failure) || failure.Reason == pluginsv1alpha1.ReasonSourceUnavailable || !follow && failure.Reason == pluginsv1alpha1.ReasonArtifactNotFound
}

// job checks a request.
func (s *Source) job(r Request) (job, error) {
	ref, err := ParseReference(r.Source.Reference, r.Source.Insecure)
	if err != nil {
		return job{}, err
	}
	if err := s.puller.registries.check(ref, r.Source.Insecure); err != nil {
		return job{}, err
	}
	if _, err := s.puller.registries.transport(r.CABundle); err != nil {
		return job{}, err
	}
	signatures, err := s.puller.required(ref, r.Source.Insecure, r.Signatures)
	if err != nil {
		return job{}, err
	}
	places := s.puller.registries.places(ref, r.Source.Insecure)
	return job{
		mirrors:   places[:len(places)-1],
		namespace: r.Plugin.Namespace, reference: ref, follow: s.pollInterval(r.Source, ref) > 0 || policyOf(r.Source, ref) == pluginsv1alpha1.PullAlways,
		signatures: signatures,
		access:     access{insecure: r.Source.Insecure, roots: r.CABundle, keyring: r.Keyring},
	}, nil
}

// policyOf returns the pull policy of a source with its default.
func policyOf(source pluginsv1alpha1.OCISource, ref Reference) pluginsv1alpha1.PullPolicy {
	switch {
	case source.PullPolicy != "":
		return source.PullPolicy
	case ref.Tag == latest && ref.Digest == "":
		return pluginsv1alpha1.PullAlways
	default:
		return pluginsv1alpha1.PullIfNotPresent
	}
}

// pollInterval returns how often the tag is resolved again; 0 means never.
func (s *Source) pollInterval(source pluginsv1alpha1.OCISource, ref Reference) time.Duration {
	switch {
	case ref.Digest != "":
		return 0
	case source.PollIntervalSeconds != nil && *source.PollIntervalSeconds == 0:
		return 0
	case source.PollIntervalSeconds != nil:
		return max(time.Duration(*source.PollIntervalSeconds)*time.Second, s.minPoll)
	case policyOf(source, ref) == pluginsv1alpha1.PullAlways:
		return defaultPoll
	default:
		return 0
	}
}

// Forget ends the plugin's task, and lets its artifact be removed from the cache.
func (s *Source) Forget(name types.NamespacedName) {
	s.stop(name)
	s.puller.cache.Unpin(ownerOf(name))
}

// stop ends the plugin's task.
func (s *Source) stop(name types.NamespacedName) {
	s.mu.Lock()
	t := s.tasks[name]
	delete(s.tasks, name)
	s.mu.Unlock()
	if t != nil {
		t.end(s.puller.cache)
	}
}

// taskFor returns the plugin's task. A request that has changed gets a new one.
func (s *Source) taskFor(r Request, j job) *task {
	id := fmt.Sprintf("%s|%d|%s|%x", j.reference, s.pollInterval(r.Source, j.reference), policyOf(r.Source, j.reference), j.id())
	s.mu.Lock()
	t := s.tasks[r.Plugin]
	if t != nil && t.id == id {
		s.mu.Unlock()
		return t
	}
	previous := t
	s.count++
	t = &task{name: r.Plugin, number: s.count, id: id, job: j, poll: s.pollInterval(r.Source, j.reference)}
	s.tasks[r.Plugin] = t
	s.metrics.Begin(r.Plugin.String())
	s.mu.Unlock()
	if previous != nil {
		previous.end(s.puller.cache)
	}
	return t
}

// base returns the context of Start, or nil.
func (s *Source) base() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx
}

// RequiresSignature reports whether the operator requires a signature for a source.
func (s *Source) RequiresSignature(source pluginsv1alpha1.OCISource) bool {
	ref, err := ParseReference(source.Reference, source.Insecure)
	return err == nil && len(s.puller.registries.requiredFor(ref, source.Insecure)) > 0
}

// begin runs a function that Start waits for. It reports whether the source runs.
func (s *Source) begin(work func(context.Context)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil || s.ctx.Err() != nil {
		return false
	}
	base := s.ctx
	s.work.Go(func() { work(base) })
	return true
}

// Describe returns the name of the source in a status.
func Describe(source pluginsv1alpha1.OCISource) string { return "oci/" + source.Reference }
