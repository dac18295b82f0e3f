// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"slices"
	"strings"
	"testing"
)

func TestAdmissionReply_check(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", MaxWarning/2)
	tests := []struct {
		name, reason string
		warnings     []string
		want         string
	}{
		{"none", "the reply need not warn", nil, ""},
		{"as many as may be", "the bounds are inclusive", slices.Repeat([]string{long}, MaxWarnings), ""},
		{"one too many", "clients show them all", slices.Repeat([]string{"a"}, MaxWarnings+1), "17 warnings, more than the 16 allowed"},
		{"too long", "bytes count, not characters", []string{"a", long + "é"}, "warnings[1] has 258 bytes, more than the 256 allowed"},
		{"empty", "it tells nothing", []string{"a", ""}, "an empty warning"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := AdmissionReply{Warnings: tt.warnings}.Check()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != tt.want) {
				t.Errorf("%s: got %v, want %q", tt.reason, err, tt.want)
			}
		})
	}
}
