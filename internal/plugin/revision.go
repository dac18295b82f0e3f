// SPDX-License-Identifier: Apache-2.0

package plugin

import "time"

// Revision describes what a Runner runs.
type Revision struct {
	// Plugin is "namespace/name".
	Plugin   string
	Digest   Digest
	Metadata Metadata
	// MaxInstances is the maximum number of concurrent calls.
	MaxInstances int
	// Redact redacts secrets in the output of the guest. It may be nil.
	Redact *Redactor
	// OnBreaker is called when the revision's circuit breaker opens or closes. It may be nil. It must neither block nor
	// call the Runner.
	OnBreaker func(BreakerChange)
}

// BreakerChange is the opening or closing of a circuit breaker. A failed probe is not a change.
type BreakerChange struct {
	Open bool
	// Cause is the last failure before the breaker opened.
	Cause error
	// RetryAfter is the time for which the breaker stays open before it lets one call through.
	RetryAfter time.Duration
}
