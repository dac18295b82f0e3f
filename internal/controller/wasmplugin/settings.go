// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/plugin"
)

// pollSecrets is how often the Secrets of spec.settingsFrom are read again: no event reports their changes, because the
// operator has no permission to watch Secrets.
const pollSecrets = time.Minute

// settingsTime limits how long a load waits for the check of its settings. The check itself is limited in steps. The
// time limit is for the case that checks of other plugins, or an error in counting the steps, take the time that other
// plugins' loads need.
const settingsTime = 2 * time.Second

// configure collects the settings, including those from Secrets, and checks them.
func (r *Reconciler) configure(ctx context.Context, l *load) *problem {
	secrets, err := r.secrets(ctx, l)
	if err == nil {
		l.plan.redact = plugin.RedactorOf(secrets)
		l.plan.secret = nil
		for _, s := range secrets {
			l.plan.secret = append(l.plan.secret, s.As)
		}
		l.plan.settings, err = plugin.MergeSettings(l.plan.settings, secrets)
	}
	if err == nil {
		err = r.checkSettings(ctx, l, secrets)
		if load := (*plugin.LoadError)(nil); err != nil && !errors.As(err, &load) {
			return &problem{
				condition: pluginsv1alpha1.ConditionSettingsValid, reason: pluginsv1alpha1.ReasonPending, recovery: retry,
				message: fmt.Sprintf("no result of checking spec.settings against the module's schema, it is retried: %v", err),
			}
		}
	}
	if err != nil {
		p := problemOf(pluginsv1alpha1.ConditionSettingsValid, err)
		if p.reason == pluginsv1alpha1.ReasonSourceUnavailable {
			p.reason = pluginsv1alpha1.ReasonSecretUnavailable
		}
		if p.reason == pluginsv1alpha1.ReasonSecretForbidden {
			// If the ServiceAccount has lost all its permissions, the plugin's finalizer must not keep blocking
			// deletions.
			if lost := r.authorize(ctx, l); lost != nil && lost.reason == pluginsv1alpha1.ReasonAccountForbidden {
				l.conditions.False(p.condition, p.reason, p.message)
				return lost
			}
		}
		return p
	}
	message := "spec.settings meets the module's schema"
	if len(secrets) > 0 {
		message = fmt.Sprintf("spec.settings and %d from Secrets meet the module's schema", len(secrets))
	}
	l.conditions.True(pluginsv1alpha1.ConditionSettingsValid, pluginsv1alpha1.ReasonSucceeded, message)
	return nil
}

// checkSettings checks the settings against the module's schema. An error that is not a *plugin.LoadError means that
// there is no result.
func (r *Reconciler) checkSettings(ctx context.Context, l *load, secrets []plugin.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, settingsTime)
	defer cancel()
	return r.settingsChecks.Check(ctx, l.plan.metadata.ConfigSchema, l.plan.settings, secrets...)
}

// secrets reads spec.settingsFrom as the plugin's ServiceAccount.
func (r *Reconciler) secrets(ctx context.Context, l *load) ([]plugin.Secret, error) {
	from, id := l.plugin.Spec.SettingsFrom, l.plan.identity
	if err := plugin.CheckSettingNames(l.plugin.Spec.Settings, from); err != nil {
		return nil, err
	}
	data, err := r.readSecrets(ctx, id, from)
	if err != nil {
		return nil, err
	}
	var out []plugin.Secret
	for _, f := range from {
		value, ok := data[f.SecretRef.Name][f.SecretRef.Key]
		if !ok {
			return nil, plugin.Reject(pluginsv1alpha1.ReasonSecretKeyNotFound,
				"Secret %q in namespace %q has no key %q, which spec.settingsFrom takes %q from: add it, or change spec.settingsFrom",
				f.SecretRef.Name, id.Namespace, f.SecretRef.Key, f.As)
		}
		secret, err := plugin.NewSecret(f, value)
		if err != nil {
			return nil, err
		}
		out = append(out, secret)
	}
	return out, nil
}

// readSecrets reads each Secret once. One error reports all Secrets that the ServiceAccount is not allowed to get.
func (r *Reconciler) readSecrets(ctx context.Context, id access.Identity, from []pluginsv1alpha1.SettingSource) (map[string]map[string][]byte, error) {
	data := map[string]map[string][]byte{}
	var forbidden []string
	var failed error
	for _, f := range from {
		name := f.SecretRef.Name
		if _, read := data[name]; read || slices.Contains(forbidden, name) {
			continue
		}
		values, err := r.Hosts.Secret(ctx, id, name)
		switch {
		case err == nil:
			data[name] = values
		case apierrors.IsForbidden(err):
			forbidden = append(forbidden, name)
		case failed == nil:
			failed = secretProblem(id, name, err)
		}
	}
	if len(forbidden) == 0 {
		return data, failed
	}
	// If the ServiceAccount does not exist, or the operator is not allowed to impersonate it, granting a permission
	// does not help.
	if err := r.checkAccount(ctx, id); err != nil {
		return nil, err
	}
	if err := r.checkImpersonation(ctx, id); err != nil {
		return nil, err
	}
	return nil, plugin.Reject(pluginsv1alpha1.ReasonSecretForbidden, "%s", grantMessage(id, []grant{{
		namespace: id.Namespace, verbs: []string{"get"}, resources: []string{"secrets"}, names: forbidden,
	}}))
}

// secretProblem returns why a Secret could not be read, for reasons other than a missing permission.
func secretProblem(id access.Identity, name string, err error) error {
	if apierrors.IsNotFound(err) {
		return plugin.Reject(pluginsv1alpha1.ReasonSecretNotFound,
			"Secret %q does not exist in namespace %q: create it, or change spec.settingsFrom", name, id.Namespace)
	}
	return fmt.Errorf("get Secret %q: %w", name, err)
}

// pollsSecrets requeues a plugin with settings from Secrets soon enough to notice that they changed.
func (l *load) pollsSecrets(result ctrl.Result) ctrl.Result {
	if len(l.plugin.Spec.SettingsFrom) > 0 && (result.RequeueAfter == 0 || result.RequeueAfter > pollSecrets) {
		result.RequeueAfter = pollSecrets
	}
	return result
}
