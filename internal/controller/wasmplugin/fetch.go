// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"fmt"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/source/configmap"
	"github.com/k1s-io/k1s/internal/source/directory"
)

// fetch reads the module's bytes.
func (r *Reconciler) fetch(ctx context.Context, l *load) *problem {
	start := r.Clock.Now()
	var err error
	switch s := l.plugin.Spec.Source; {
	case s.ConfigMap != nil:
		l.source = configmap.Describe(*s.ConfigMap)
		l.module, err = r.ConfigMaps.Fetch(ctx, l.name.Namespace, *s.ConfigMap)
	case s.File != nil:
		l.source = directory.Describe(s.File.Path)
		if err = directory.ProblemOf(l.plugin); err == nil {
			l.module, err = r.Files.Fetch(ctx, s.File.Path)
		}
	default: // the API server rejects this, but an object from before a change of the CRD may have it
		err = plugin.Reject(pluginsv1alpha1.ReasonSourceUnavailable, "spec.source is empty: set configMap or file")
	}
	if err != nil {
		return problemOf(pluginsv1alpha1.ConditionFetched, err)
	}
	l.fetchTime = r.Clock.Since(start)
	l.conditions.True(pluginsv1alpha1.ConditionFetched, pluginsv1alpha1.ReasonSucceeded,
		fmt.Sprintf("%d bytes from %s", len(l.module.Bytes), l.source))
	return nil
}
