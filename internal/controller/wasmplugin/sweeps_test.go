// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import "testing"

func TestSweeps_take(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		notes [][]string
		want  map[string]bool
	}{
		{name: "nothing", want: map[string]bool{"apps": false}},
		{name: "groups", notes: [][]string{{"apps"}, {"batch"}}, want: map[string]bool{"apps": true, "batch": true, "": false}},
		{name: "no groups means all", notes: [][]string{{}}, want: map[string]bool{"apps": true, "": true}},
		{name: "all, then one", notes: [][]string{nil, {"apps"}}, want: map[string]bool{"apps": true, "batch": true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var s sweeps
			for _, groups := range tt.notes {
				s.note(groups)
			}
			changed := s.take()
			for group, want := range tt.want {
				if got := changed.has(group); got != want {
					t.Errorf("group %q has changed: %t, want %t", group, got, want)
				}
			}
			if s.take().has("apps") {
				t.Error("the groups are taken twice")
			}
		})
	}
}
