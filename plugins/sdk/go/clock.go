// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"time"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
)

// Now returns the current time in UTC. In tests it returns the time that was set in k1stest.
func Now() time.Time { return time.Unix(0, host.Now()).UTC() }

// Timestamp formats a time as Kubernetes does: RFC 3339 in UTC, in whole seconds.
func Timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Random fills b with cryptographically secure random bytes from the operator's system. Go's own generators may start
// in the same state in all instances of a plugin, because instances can be copies of one memory image.
func Random(b []byte) { host.Random(b) }
