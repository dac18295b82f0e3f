// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// fakeDirectory is a plugin directory that answers whether it defines a plugin.
type fakeDirectory struct {
	defines bool
	err     error
}

func (f fakeDirectory) Defines(*pluginsv1alpha1.WasmPlugin) (bool, error) { return f.defines, f.err }

type fakeOperator struct{ err error }

func (s fakeOperator) Username(context.Context) (string, error) {
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
		directory fakeDirectory
		operator  fakeOperator
		want      string // the operator's user name
		reason    string
	}{
		"defined":           {"the flag is for this", false, "shop", "true", fakeDirectory{defines: true}, fakeOperator{}, "operator", ""},
		"off":               {"without the flag RBAC is always asked", true, "shop", "true", fakeDirectory{defines: true}, fakeOperator{}, "", ""},
		"another namespace": {"the directory's plugins are in the operator's", false, "k1s-system", "true", fakeDirectory{defines: true}, fakeOperator{}, "", ""},
		"no label":          {"a WasmPlugin that somebody made by hand is left to RBAC", false, "shop", "", fakeDirectory{defines: true}, fakeOperator{}, "", ""},
		"forged":            {"a label alone gives nothing", false, "shop", "true", fakeDirectory{}, fakeOperator{}, "", pluginsv1alpha1.ReasonNotAsInDirectory},
		"no directory":      {"in doubt nothing is loaded", false, "shop", "true", fakeDirectory{err: errors.New("away")}, fakeOperator{}, "", pluginsv1alpha1.ReasonReviewFailed},
		"nobody":            {"without a name the audit log would not say who", false, "shop", "true", fakeDirectory{defines: true}, fakeOperator{errors.New("away")}, "", pluginsv1alpha1.ReasonReviewFailed},
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
