// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"strconv"
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// Pulled counts a pull of a plugin's artifact: its result, which is Succeeded or the reason of the failure, the bytes
// that were downloaded, the manifests and layers that were in the cache, and how long it took. It counts nothing before
// Begin and after Forget.
func (m *Metrics) Pulled(name, result string, bytes, hits int64, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of(name) == nil {
		return
	}
	m.counters[namePulls].WithLabelValues(name, result).Inc()
	m.counters[namePulledBytes].WithLabelValues(name).Add(float64(bytes))
	m.counters[namePullHits].WithLabelValues(name).Add(float64(hits))
	if result == pluginsv1alpha1.ReasonSucceeded { // how long others took says what ended them, as their reason does
		m.histograms[namePullDuration].WithLabelValues(name, strconv.FormatBool(bytes == 0)).Observe(took.Seconds())
	}
}

// PulledCache sets the function that returns the size of the cache of artifacts, in bytes. It is called for every scrape.
func (m *Metrics) PulledCache(size func() int64) { m.pulledCache.Store(&size) }
