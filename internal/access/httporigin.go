// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"

	"github.com/k1s-io/k1s/internal/access/origin"
)

// deniesHost returns why the list does not allow an origin, or "" if it does.
func (l Allowlist) deniesHost(o origin.Origin) string {
	for _, entry := range l.Hosts {
		if o.Matches(entry) {
			return ""
		}
	}
	return fmt.Sprintf("security.allowedHosts does not have %q", o.HostPort())
}
