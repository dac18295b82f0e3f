// SPDX-License-Identifier: Apache-2.0

package plugin

import "time"

// Revision names what a Runner runs.
type Revision struct {
	// Plugin is "namespace/name".
	Plugin   string
	Digest   Digest
	Metadata Metadata
	// MaxInstances is how many calls run at once.
	MaxInstances int
	// Redact takes secrets out of what the guest says; it may be nil.
	Redact *Redactor
	// OnBreaker hears when the revision's circuit breaker opens or closes; it may be nil. It must not
	// block, nor call the Runner.
	OnBreaker func(BreakerChange)
}

// BreakerChange is a circuit breaker that has opened or closed. A probe that fails is no change.
type BreakerChange struct {
	Open bool
	// Cause is the last of the failures that opened it.
	Cause error
	// RetryAfter is how long it stays open before it lets one call through.
	RetryAfter time.Duration
}
