// SPDX-License-Identifier: Apache-2.0

package metrics

// Type is a type of metric.
type Type string

// The types of metrics.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Family describes the series of one name.
type Family struct {
	Name, Help string
	Type       Type
	Labels     []string
	// Buckets are those of a histogram.
	Buckets []float64
}

// Labels. labelPlugin is "namespace/name".
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

// Names of the families.
const (
	nameCalls        = "k1s_plugin_calls_total"
	nameDuration     = "k1s_plugin_call_duration_seconds"
	nameFuel         = "k1s_plugin_fuel_instructions_total"
	nameInstances    = "k1s_plugin_instances"
	nameMemory       = "k1s_plugin_memory_bytes"
	nameInstantiate  = "k1s_plugin_instantiate_duration_seconds"
	nameCompile      = "k1s_compile_duration_seconds"
	nameSwaps        = "k1s_plugin_swaps_total"
	nameRollbacks    = "k1s_plugin_rollbacks_total"
	nameSelfTriggers = "k1s_plugin_self_triggered_total"
	nameRevision     = "k1s_plugin_revision_info"
	nameBreaker      = "k1s_plugin_breaker_state"
	nameTransitions  = "k1s_plugin_breaker_transitions_total"
	nameLimited      = "k1s_plugin_requests_limited_total"
	nameDecided      = "k1s_plugin_requests_decided_total"
	nameSuspicious   = "k1s_plugin_suspicions_total"
	nameAuditDropped = "k1s_audit_records_dropped_total"
	nameCacheResults = "k1s_plugin_result_cache_total"
	nameBatch        = "k1s_plugin_batch_size"
	nameQueued       = "k1s_plugin_queue_depth"
	nameHeld         = "k1s_plugin_admission_requests_total"
	nameHeldDuration = "k1s_plugin_admission_duration_seconds"
	nameWithoutRBAC  = "k1s_plugins_without_rbac"
)

// Families returns every family of this package.
func Families() []Family {
	return []Family{
		{
			Name: nameCalls, Type: Counter, Labels: []string{labelPlugin, labelExport, labelResult},
			Help: "Calls of a plugin's exports, by how they ended: OK, Guest (the guest answered an error), or what went wrong. " +
				"A call of reconcile_batch counts beside the calls of reconcile that it answers.",
		},
		{
			Name: nameDuration, Type: Histogram, Labels: []string{labelPlugin, labelExport}, Buckets: callBuckets(),
			Help: "How long calls took, waiting for an instance included.",
		},
		{
			Name: nameFuel, Type: Counter, Labels: []string{labelPlugin, labelExport},
			Help: "WebAssembly instructions that calls ran.",
		},
		{
			Name: nameInstances, Type: Gauge, Labels: []string{labelPlugin},
			Help: "Instances that exist, of every revision.",
		},
		{
			Name: nameMemory, Type: Gauge, Labels: []string{labelPlugin},
			Help: "Linear memory of a plugin's instances.",
		},
		{
			Name: nameInstantiate, Type: Histogram, Labels: []string{labelPlugin, labelHow},
			Buckets: []float64{50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 1, 5},
			Help:    "How long making an instance took: fresh, where the guest initialized itself, or from an image of an initialized one.",
		},
		{
			Name: nameCompile, Type: Histogram, Labels: []string{labelCached},
			Buckets: []float64{1e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1, 2.5, 5, 10, 30, 60, 300},
			Help:    "How long compiling a module took, or reading its code where it was kept.",
		},
		{
			Name: nameSwaps, Type: Counter, Labels: []string{labelPlugin},
			Help: "Revisions that have begun to serve.",
		},
		{
			Name: nameRollbacks, Type: Counter, Labels: []string{labelPlugin},
			Help: "Revisions that had to give their place back to the one before.",
		},
		{
			Name: nameSelfTriggers, Type: Counter, Labels: []string{labelPlugin},
			Help: "Reconciles that were delayed because nothing but the plugin's own writes had caused them, many times in a row.",
		},
		{
			Name: nameRevision, Type: Gauge, Labels: []string{labelPlugin, labelDigest, labelVersion},
			Help: "1 for the revision that serves; its labels say which it is.",
		},
		{
			Name: nameBreaker, Type: Gauge, Labels: []string{labelPlugin},
			Help: "The circuit breaker: 0 closed, 1 half-open (one call is let through), 2 open.",
		},
		{
			Name: nameTransitions, Type: Counter, Labels: []string{labelPlugin, labelState},
			Help: "States that the circuit breaker has entered.",
		},
		{
			Name: nameLimited, Type: Counter, Labels: []string{labelPlugin, labelLayer},
			Help: "Requests to the cluster that were refused: limit is security.maxConcurrentRequests, rate is security.requestsPerSecond.",
		},
		{
			Name: nameDecided, Type: Counter, Labels: []string{labelPlugin, labelDecided, labelLayer},
			Help: "Requests to the cluster that change something or were refused, as the audit log has them: what was decided, and the layer that refused.",
		},
		{
			Name: nameSuspicious, Type: Counter, Labels: []string{labelPlugin},
			Help: "Times that a plugin was refused so often within a minute that somebody should look.",
		},
		{
			Name: nameAuditDropped, Type: Counter,
			Help: "Records of the audit log that could not be written.",
		},
		{
			Name: nameCacheResults, Type: Counter, Labels: []string{labelPlugin, labelResult},
			Help: "Look-ups in the cache of answers of modules that declare themselves deterministic: hit or miss.",
		},
		{
			Name: nameBatch, Type: Histogram, Labels: []string{labelPlugin}, Buckets: []float64{2, 4, 8, 16, 32, 64, 128, 256},
			Help: "Requests that one call of reconcile_batch got.",
		},
		{
			Name: nameQueued, Type: Gauge, Labels: []string{labelPlugin},
			Help: "Objects that wait for the plugin, those that wait for another try not included.",
		},
		{
			Name: nameHeld, Type: Counter, Labels: []string{labelPlugin, labelWebhook, labelResult},
			Help: "Requests to the API server that were held up for a plugin, to validate or to mutate: allowed or denied by it, " +
				"failed_closed or failed_open where it could not answer (as its failurePolicy has it), skipped without asking it, or " +
				"overloaded where it was rejected unread because too many bytes of requests were in flight (the API server may try that again).",
		},
		{
			Name: nameHeldDuration, Type: Histogram, Labels: []string{labelPlugin, labelWebhook}, Buckets: callBuckets(),
			Help: "How long requests to the API server were held up for a plugin, without those that were skipped.",
		},
		{
			Name: nameWithoutRBAC, Type: Gauge,
			Help: "Plugins that serve and that RBAC does not bound: those of the plugin directory with --directory-plugins-without-rbac.",
		},
	}
}

// callBuckets are three to a decade, from a call of a small guest to spec.runtime.timeoutSeconds.
func callBuckets() []float64 {
	return []float64{
		5e-6, 10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6,
		1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3,
		1, 2.5, 5,
	}
}
