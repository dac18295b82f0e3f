// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// hostWork returns attacks that make the host work: it decodes, copies or counts data of the guest outside metered
// code.
func hostWork() []attack {
	// bounded limits the memory of an attack to that of its guests plus a margin.
	bounded := func(a attack, pages uint32) attack {
		const margin = 64 << 20
		a.pages = pages
		a.most = uint64(a.limits().MaxInstances)*uint64(pages)*(64<<10) + margin
		return a
	}
	return []attack{
		bounded(attack{name: "error_causes", at: fails, kind: plugin.KindViolation, want: "error reply of 16777216 bytes is larger than the 65536 allowed"}, 300),
		bounded(attack{
			name: "error_causes_metadata", at: describes, reason: pluginsv1alpha1.ReasonInvalidMetadata,
			want: "error reply of 16777216 bytes is larger than the 65536 allowed",
		}, 300),
		bounded(endless("path_open_long"), 1024),
		bounded(endless("poll_stdin_many"), 1024),
		bounded(endless("http_headers"), 400),
		bounded(attack{name: "initialize_sleep", at: describes, reason: pluginsv1alpha1.ReasonInitializeFailed, want: "guest _initialize: Timeout: the call " + ranPast}, 64),
	}
}
