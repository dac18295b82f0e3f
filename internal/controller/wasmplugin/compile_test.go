// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"errors"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

func TestCheckBatch(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		exports plugin.ExportSet
		batch   int
		denied  bool
	}{
		"has it":       {plugin.ExportSet{abi.ExportReconcileBatch: true}, 8, false},
		"lacks it":     {plugin.ExportSet{abi.ExportReconcile: true}, 8, true},
		"does not ask": {nil, 0, false},
		"asks for one": {nil, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := checkBatch(tc.exports, plugin.Metadata{MaxBatch: tc.batch})
			var load *plugin.LoadError
			if denied := errors.As(err, &load); denied != tc.denied || denied && load.Reason != pluginsv1alpha1.ReasonMissingExport {
				t.Errorf("got %v", err)
			}
		})
	}
}
