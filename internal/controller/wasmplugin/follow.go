// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"

	"sigs.k8s.io/controller-runtime/pkg/log"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
)

// follow makes the serving revision follow what needs no load: spec.admission, which a person changes when the plugin
// fails, and how the API server serves the revision's kinds. A revision whose kinds are not served stops: its watches
// would list resources that do not exist. The failure policy answers its admission requests.
type follow struct {
	revisions   *Revisions
	permissions permissions
}

func (f follow) run(ctx context.Context, l *load) *problem {
	if l.current == nil {
		return nil
	}
	if wanted, err := plan.NewAdmission(l.plugin.Spec.Admission); err == nil { // otherwise verify reports the error, and the previous configuration stays
		l.current = f.revisions.update(l.name, func(x *revision) {
			next := *x.scope
			next.plan.Admission = wanted
			x.scope = &next
		})
	}
	resolved, err := f.permissions.resolve(ctx, l.current.plan)
	var unserved *plugin.LoadError
	switch {
	case errors.As(err, &unserved):
		if l.current.unserved == nil || l.current.unserved.message != unserved.Error() {
			f.stop(l, problemOf(pluginsv1alpha1.ConditionAuthorized, err))
		}
	case err != nil:
		// The API server did not answer, which is no reason to stop: its last answer may still be valid.
		return &problem{
			condition: pluginsv1alpha1.ConditionAuthorized, reason: pluginsv1alpha1.ReasonReviewFailed,
			message: err.Error(), recovery: retry,
		}
	case l.current.unserved != nil || !resolved.Equal(l.current.kinds):
		log.FromContext(ctx).Info("The kinds of a plugin are served in another way than before", "types", l.current.plan.Types())
		l.current, l.kindsChanged = f.revisions.using(l.name, resolved), true
	}
	return nil
}

// failed stops the serving revision if the load has failed because kinds are not served that this revision needs, too.
func (f follow) failed(l *load) {
	if l.current != nil && l.current.unserved == nil && l.problem.isAboutKinds() && l.current.plan.NeedsSame(l.plan) {
		f.stop(l, l.problem)
	}
}

func (f follow) stop(l *load, unserved *problem) {
	l.current, l.kindsChanged = f.revisions.update(l.name, func(x *revision) { x.unserved = unserved }), true
}
