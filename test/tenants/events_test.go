// SPDX-License-Identifier: Apache-2.0

package tenants

// events try to create Events that the other tenant sees, and Events with content that is not allowed.
func events() []trick {
	return []trick{
		{
			name: "an event about the other's Item", plugin: plain,
			call:   call{function: event, request: `{` + itemOf + `,` + otherKey + `,"uid":"{uid}","type":"Warning","reason":"Stolen","message":"pay"}`},
			want:   []string{`allowlist: cannot create events.events.k8s.io`},
			record: "create events.events.k8s.io {other}/private.* denied allowlist Forbidden",
		},
		{
			name: "an event about the other's Namespace", plugin: plain,
			call:   call{function: event, request: `{"apiVersion":"v1","kind":"Namespace","name":"{other}","type":"Warning","reason":"Stolen","message":"pay"}`},
			want:   []string{`allowlist: cannot create events.events.k8s.io`, `in namespace \"default\"`},
			record: "create events.events.k8s.io default/{other}.* denied allowlist Forbidden",
		},
		{
			name: "an event in one's own namespace about the other's Item", plugin: plain,
			call: call{function: creates, request: object(`"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"namespace":"{own}","name":"about-other"},"eventTime":"2026-01-01T00:00:00.000000Z","reportingController":"k1s","reportingInstance":"k1s","action":"Steal","reason":"Stolen","type":"Warning","note":"pay","regarding":{` + itemOf + `,` + otherKey + `,"uid":"{uid}"}`)},
			want: []string{`"namespace":"{own}"`}, harmless: true, // nobody who lists the Events of the other tenant's Item looks in this namespace
			record: "create events.events.k8s.io {own}/about-other allowed",
		},
		{
			name: "an event of the old kind", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"v1","kind":"Event","metadata":{"namespace":"{own}","name":"old-kind"},"involvedObject":{` + itemOf + `,` + ownKey + `},"reason":"Stolen","type":"Warning","message":"pay"`)},
			want:   []string{`cannot create resource \"events\"`},
			record: "create events {own}/old-kind denied apiserver Forbidden",
		},
		{
			name: "a reason of several lines", plugin: plain,
			call:   call{function: event, request: `{` + itemOf + `,` + ownKey + `,"type":"Warning","reason":"Stolen\nAll","message":"pay"}`},
			want:   []string{`want one CamelCase word`},
			record: "create Event.events.k8s.io {own}/private error BadRequest",
		},
	}
}
