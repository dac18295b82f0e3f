// SPDX-License-Identifier: Apache-2.0

package audit

// Metrics counts decisions.
type Metrics interface {
	// Decided counts a request by its decision. The layer is empty unless the request was denied.
	Decided(plugin, decision, layer string)
	// Suspicious counts a plugin whose requests are denied so often that somebody should look at it.
	Suspicious(plugin string)
	// AuditDropped counts Records that could not be written.
	AuditDropped(records int)
}

// NoMetrics counts nothing.
type NoMetrics struct{}

var _ Metrics = NoMetrics{}

// Decided implements Metrics.
func (NoMetrics) Decided(string, string, string) {}

// Suspicious implements Metrics.
func (NoMetrics) Suspicious(string) {}

// AuditDropped implements Metrics.
func (NoMetrics) AuditDropped(int) {}
