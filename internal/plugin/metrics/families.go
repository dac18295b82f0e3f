// SPDX-License-Identifier: Apache-2.0

package metrics

// Type is the type of a metric.
type Type string

// The types of metrics.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Family describes a metric family.
type Family struct {
	Name, Help string
	Type       Type
	Labels     []string
	// Buckets are the buckets of a histogram.
	Buckets []float64
}

// The labels. The value of labelPlugin is "namespace/name".
const (
	labelPlugin  = "plugin"
	labelExport  = "export"
	labelResult  = "result"
	labelHow     = "how"
	labelCached  = "cached"
	labelState   = "state"
	labelLayer   = "layer"
	labelDecided = "decision"
	labelDigest  = "digest"
	labelVersion = "version"
	labelWebhook = "webhook"
)

// The names of the families.
const (
	nameCalls             = "k1s_plugin_calls_total"
	nameDuration          = "k1s_plugin_call_duration_seconds"
	nameFuel              = "k1s_plugin_fuel_instructions_total"
	nameInstances         = "k1s_plugin_instances"
	nameMemory            = "k1s_plugin_memory_bytes"
	nameInstantiate       = "k1s_plugin_instantiate_duration_seconds"
	nameCompile           = "k1s_compile_duration_seconds"
	nameSwaps             = "k1s_plugin_swaps_total"
	nameRollbacks         = "k1s_plugin_rollbacks_total"
	nameSelfTriggers      = "k1s_plugin_self_triggered_total"
	nameRevision          = "k1s_plugin_revision_info"
	nameBreaker           = "k1s_plugin_breaker_state"
	nameTransitions       = "k1s_plugin_breaker_transitions_total"
	nameLimited           = "k1s_plugin_requests_limited_total"
	nameDecided           = "k1s_plugin_requests_decided_total"
	nameSuspicious        = "k1s_plugin_suspicions_total"
	nameAuditDropped      = "k1s_audit_records_dropped_total"
	nameCacheResults      = "k1s_plugin_result_cache_total"
	nameBatch             = "k1s_plugin_batch_size"
	nameQueued            = "k1s_plugin_queue_depth"
	nameAdmissionRequests = "k1s_plugin_admission_requests_total"
	nameAdmissionDuration = "k1s_plugin_admission_duration_seconds"
	nameWithoutRBAC       = "k1s_plugins_without_rbac"
	namePulls             = "k1s_plugin_pulls_total"
	namePullDuration      = "k1s_plugin_pull_duration_seconds"
	namePulledBytes       = "k1s_plugin_pulled_bytes_total"
	namePullHits          = "k1s_plugin_pull_cache_hits_total"
	namePulledCache       = "k1s_artifact_cache_bytes"
)

// Families returns all metric families of this package.
func Families() []Family {
	return []Family{
		{
			Name: nameCalls, Type: Counter, Labels: []string{labelPlugin, labelExport, labelResult},
			Help: "Calls of a plugin's exports by result: OK, Guest (the guest returned an error), or the kind of failure. " +
				"A call of reconcile_batch counts in addition to the reconciles that it answers.",
		},
		{
			Name: nameDuration, Type: Histogram, Labels: []string{labelPlugin, labelExport}, Buckets: callBuckets(),
			Help: "Duration of calls, including the wait for an instance.",
		},
		{
			Name: nameFuel, Type: Counter, Labels: []string{labelPlugin, labelExport},
			Help: "WebAssembly instructions that calls executed.",
		},
		{
			Name: nameInstances, Type: Gauge, Labels: []string{labelPlugin},
			Help: "Instances of all revisions.",
		},
		{
			Name: nameMemory, Type: Gauge, Labels: []string{labelPlugin},
			Help: "Linear memory of a plugin's instances.",
		},
		{
			Name: nameInstantiate, Type: Histogram, Labels: []string{labelPlugin, labelHow},
			Buckets: []float64{50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 1, 5},
			Help:    "Duration of instantiation: fresh, by running the guest's initialization, or from an image of an initialized instance.",
		},
		{
			Name: nameCompile, Type: Histogram, Labels: []string{labelCached},
			Buckets: []float64{1e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1, 2.5, 5, 10, 30, 60, 300},
			Help:    "Duration of compiling a module, or of reading its code from the cache.",
		},
		{
			Name: nameSwaps, Type: Counter, Labels: []string{labelPlugin},
			Help: "Revisions that started to serve.",
		},
		{
			Name: nameRollbacks, Type: Counter, Labels: []string{labelPlugin},
			Help: "Revisions that were rolled back to the previous one.",
		},
		{
			Name: nameSelfTriggers, Type: Counter, Labels: []string{labelPlugin},
			Help: "Reconciles that were delayed because only the plugin's own writes caused them, many times in a row.",
		},
		{
			Name: nameRevision, Type: Gauge, Labels: []string{labelPlugin, labelDigest, labelVersion},
			Help: "1 for the serving revision, which the labels identify.",
		},
		{
			Name: nameBreaker, Type: Gauge, Labels: []string{labelPlugin},
			Help: "State of the circuit breaker: 0 closed, 1 half-open (one call is allowed), 2 open.",
		},
		{
			Name: nameTransitions, Type: Counter, Labels: []string{labelPlugin, labelState},
			Help: "Transitions of the circuit breaker into a state.",
		},
		{
			Name: nameLimited, Type: Counter, Labels: []string{labelPlugin, labelLayer},
			Help: "Requests to the cluster that were throttled: limit is security.maxConcurrentRequests, rate is security.requestsPerSecond.",
		},
		{
			Name: nameDecided, Type: Counter, Labels: []string{labelPlugin, labelDecided, labelLayer},
			Help: "Write requests and denied requests to the cluster, as in the audit log: the decision, and the layer that denied.",
		},
		{
			Name: nameSuspicious, Type: Counter, Labels: []string{labelPlugin},
			Help: "Anomalies: times that many requests of a plugin were denied within a minute.",
		},
		{
			Name: nameAuditDropped, Type: Counter,
			Help: "Records of the audit log that could not be written.",
		},
		{
			Name: nameCacheResults, Type: Counter, Labels: []string{labelPlugin, labelResult},
			Help: "Lookups in the result cache of deterministic modules: hit or miss.",
		},
		{
			Name: nameBatch, Type: Histogram, Labels: []string{labelPlugin}, Buckets: []float64{2, 4, 8, 16, 32, 64, 128, 256},
			Help: "Requests in a call of reconcile_batch.",
		},
		{
			Name: nameQueued, Type: Gauge, Labels: []string{labelPlugin},
			Help: "Objects in the plugin's queue, without those that are delayed before a retry.",
		},
		{
			Name: nameAdmissionRequests, Type: Counter, Labels: []string{labelPlugin, labelWebhook, labelResult},
			Help: "Admission requests by webhook and result: allowed or denied by the plugin, failed_closed or failed_open if it " +
				"could not answer (by its failurePolicy), skipped without a call, or overloaded if the request was rejected " +
				"unread, because too many bytes of requests were in flight (the API server may retry).",
		},
		{
			Name: nameAdmissionDuration, Type: Histogram, Labels: []string{labelPlugin, labelWebhook}, Buckets: callBuckets(),
			Help: "Duration of admission requests, without skipped ones.",
		},
		{
			Name: nameWithoutRBAC, Type: Gauge,
			Help: "Serving plugins that RBAC does not restrict: those of the plugin directory with --directory-plugins-without-rbac.",
		},
		{
			Name: namePulls, Type: Counter, Labels: []string{labelPlugin, labelResult},
			Help: "Pulls and polls of artifacts by result: Succeeded, the reason of the condition Fetched or SignatureVerified, or " +
				"Canceled if the plugin was changed or deleted meanwhile.",
		},
		{
			Name: namePullDuration, Type: Histogram, Labels: []string{labelPlugin, labelCached}, Buckets: pullBuckets(),
			Help: "Duration of pulls that succeeded, without the time in the queue. cached is true if nothing had to be downloaded, as " +
				"in most polls.",
		},
		{
			Name: namePulledBytes, Type: Counter, Labels: []string{labelPlugin},
			Help: "Bytes of manifests and layers that were downloaded from registries, also by pulls that failed.",
		},
		{
			Name: namePullHits, Type: Counter, Labels: []string{labelPlugin},
			Help: "Manifests and layers that were in the cache when an artifact was pulled.",
		},
		{
			Name: namePulledCache, Type: Gauge,
			Help: "Size of the artifacts in the cache directory.",
		},
	}
}

// pullBuckets returns buckets from the duration of a request to a registry nearby to the timeout of a pull.
func pullBuckets() []float64 {
	return []float64{10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}
}

// callBuckets returns three buckets per decade, from the duration of a call of a small guest to the maximum of
// spec.runtime.timeoutSeconds.
func callBuckets() []float64 {
	return []float64{
		5e-6, 10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6,
		1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3,
		1, 2.5, 5,
	}
}
