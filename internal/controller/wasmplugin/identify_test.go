// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// folder is a plugin directory that answers whether it defines a plugin.
type folder struct {
	defines bool
	err     error
}

func (f folder) Defines(*pluginsv1alpha1.WasmPlugin) (bool, error) { return f.defines, f.err }

type self struct{ err error }

func (s self) Username(context.Context) (string, error) {
	if s.err != nil {
		return "", s.err
	}
	return "operator", nil
}

// TestIdentify shows that only what the directory defines acts as the operator. Everything else acts as its
// ServiceAccount, or waits.
func TestIdentify(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		why       string
		off       bool
		namespace string
		label     string
		directory folder
		operator  self
		want      string // the operator's user name
		reason    string
	}{
		"defined":           {"the flag is for this", false, "shop", "true", folder{defines: true}, self{}, "operator", ""},
		"off":               {"without the flag RBAC is always asked", true, "shop", "true", folder{defines: true}, self{}, "", ""},
		"another namespace": {"the directory's plugins are in the operator's", false, "k1s-system", "true", folder{defines: true}, self{}, "", ""},
		"no label":          {"a WasmPlugin that somebody made by hand is left to RBAC", false, "shop", "", folder{defines: true}, self{}, "", ""},
		"forged":            {"a label alone gives nothing", false, "shop", "true", folder{}, self{}, "", pluginsv1alpha1.ReasonNotAsInDirectory},
		"no directory":      {"in doubt nothing is loaded", false, "shop", "true", folder{err: errors.New("away")}, self{}, "", pluginsv1alpha1.ReasonReviewFailed},
		"nobody":            {"without a name the audit log would not say who", false, "shop", "true", folder{defines: true}, self{errors.New("away")}, "", pluginsv1alpha1.ReasonReviewFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := loadOf(t, nil)
			if tc.label != "" {
				l.plugin.Labels = map[string]string{pluginsv1alpha1.LabelDirectory: tc.label}
			}
			i := identify{&WithoutRBAC{Namespace: tc.namespace, Directory: tc.directory, Operator: tc.operator}}
			if tc.off {
				i.withoutRBAC = nil
			}
			p := i.run(t.Context(), l)
			switch {
			case tc.reason == "" && p != nil, tc.reason != "" && (p == nil || p.reason != tc.reason || p.condition != pluginsv1alpha1.ConditionAuthorized):
				t.Errorf("%s: got %+v, want reason %q", tc.why, p, tc.reason)
			case l.plan.Identity.Operator != tc.want:
				t.Errorf("%s: it acts as %q, want %q", tc.why, l.plan.Identity.Operator, tc.want)
			}
		})
	}
}
