// SPDX-License-Identifier: Apache-2.0

package metrics

// Pulled counts a pull of a plugin's artifact: its result, which is Succeeded or the reason of the failure, the bytes
// that were downloaded, and the manifests and layers that were in the cache. It counts nothing before Begin and after
// Forget.
func (m *Metrics) Pulled(name, result string, bytes, hits int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of(name) == nil {
		return
	}
	m.counters[namePulls].WithLabelValues(name, result).Inc()
	m.counters[namePulledBytes].WithLabelValues(name).Add(float64(bytes))
	m.counters[namePullHits].WithLabelValues(name).Add(float64(hits))
}

// PulledCache sets the function that returns the size of the cache of artifacts, in bytes. It is called for every scrape.
func (m *Metrics) PulledCache(size func() int64) { m.pulledCache.Store(&size) }
