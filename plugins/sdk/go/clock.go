// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"time"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
)

// Now returns the current time in UTC. In tests it is the time that k1stest was given.
func Now() time.Time { return time.Unix(0, host.Now()).UTC() }

// Timestamp returns a time as Kubernetes writes it: RFC 3339 in UTC, in whole seconds.
func Timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Random fills b with random bytes from the operator's system, fit for secrets. Go's own generators may
// start equal in all instances of a plugin, as instances can be copies of one image.
func Random(b []byte) { host.Random(b) }
