// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

func TestCeilings_Runtime(t *testing.T) {
	t.Parallel()
	defaults := pluginsv1alpha1.Runtime{}.WithDefaults()
	lower := defaults
	lower.MaxMemoryPages, lower.MaxInstances, lower.TimeoutSeconds = 512, 2, 1
	for name, tt := range map[string]struct {
		ceilings Ceilings
		in, want pluginsv1alpha1.Runtime
		field    string // the field above its limit; empty means none
		flag     string
	}{
		"none":                     {Ceilings{}, pluginsv1alpha1.Runtime{}, defaults, "", ""},
		"at the ceiling":           {Ceilings{1024, 4, 5 * time.Second, 0}, defaults, defaults, "", ""},
		"a default above is lower": {Ceilings{512, 2, time.Second, 0}, defaults, lower, "", ""},
		"memory":                   {Ceilings{MaxMemoryPages: 512}, pluginsv1alpha1.Runtime{MaxMemoryPages: 513}, defaults, "maxMemoryPages is 513", "--max-memory-pages"},
		"memory at first":          {Ceilings{MaxMemoryPages: 512}, pluginsv1alpha1.Runtime{MemoryPages: 600}, defaults, "memoryPages is 600", "--max-memory-pages"},
		"instances":                {Ceilings{MaxInstances: 8}, pluginsv1alpha1.Runtime{MaxInstances: 9}, defaults, "maxInstances is 9", "--max-instances"},
		"time":                     {Ceilings{MaxTimeout: time.Minute}, pluginsv1alpha1.Runtime{TimeoutSeconds: 61}, defaults, "timeoutSeconds is 61", "--max-timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.ceilings.Runtime(tt.in)
			if tt.field == "" {
				if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
					t.Errorf("%v, -want +got:\n%s", err, diff)
				}
				return
			}
			var load *plugin.LoadError
			if !errors.As(err, &load) || load.Reason != pluginsv1alpha1.ReasonLimitExceeded || !strings.Contains(load.Message, tt.field) || !strings.Contains(load.Message, tt.flag) {
				t.Errorf("got %v, want LimitExceeded of %q by %q", err, tt.field, tt.flag)
			}
		})
	}
}
