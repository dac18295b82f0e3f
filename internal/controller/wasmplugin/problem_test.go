// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

func TestRecoveryFrom(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]recovery{
		pluginsv1alpha1.ReasonNotWasm:                stall, // the bytes stay what they are
		pluginsv1alpha1.ReasonSettingsInvalid:        stall,
		pluginsv1alpha1.ReasonConfigMapNotFound:      wait, // an event reports when it is created
		pluginsv1alpha1.ReasonServiceAccountNotFound: wait,
		pluginsv1alpha1.ReasonKindNotFound:           wait,
		pluginsv1alpha1.ReasonAccountForbidden:       wait,
		pluginsv1alpha1.ReasonSourceUnavailable:      retry, // a temporary state of the API server
		pluginsv1alpha1.ReasonInitializeFailed:       retry, // a slow machine may be the cause
	} {
		if got := recoveryFrom(reason); got != want {
			t.Errorf("%s: recovery %d, want %d", reason, got, want)
		}
	}
}
