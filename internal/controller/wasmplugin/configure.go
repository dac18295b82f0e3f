// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/settings"
)

// pollSecrets is how often the Secrets of a spec are read again: no event reports their changes, because the
// operator has no permission to watch Secrets.
const pollSecrets = time.Minute

// settingsTime limits how long a load waits for the check of its settings. The check itself is limited in steps. The
// time limit is for the case that checks of other plugins, or an error in counting the steps, take the time that other
// plugins' loads need.
const settingsTime = 2 * time.Second

// configure collects the settings, including those from Secrets, and checks them.
type configure struct {
	secrets     Secrets
	permissions permissions
	// authorize reports what else the ServiceAccount lacks if it is not allowed to read a Secret.
	authorize authorize
	checks    *settings.Checker
}

// Secrets reads Secrets as a plugin.
type Secrets interface {
	Secret(ctx context.Context, id rbac.Identity, name string) (map[string][]byte, error)
}

func (c configure) run(ctx context.Context, l *load) *problem {
	secrets, err := c.collect(ctx, l)
	if err == nil {
		l.plan.Redact = settings.RedactorOf(secrets)
		l.plan.Secret = nil
		for _, s := range secrets {
			l.plan.Secret = append(l.plan.Secret, s.As)
		}
		l.plan.Settings, err = settings.Merge(l.plan.Settings, secrets)
	}
	if err == nil {
		err = c.check(ctx, l, secrets)
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
			if lost := c.authorize.run(ctx, l); lost != nil && lost.reason == pluginsv1alpha1.ReasonAccountForbidden {
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

// check checks the settings against the module's schema. An error that is not a *plugin.LoadError means that
// there is no result.
func (c configure) check(ctx context.Context, l *load, secrets []settings.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, settingsTime)
	defer cancel()
	return c.checks.Check(ctx, l.plan.Metadata.ConfigSchema, l.plan.Settings, secrets...)
}

// collect reads spec.settingsFrom as the plugin's ServiceAccount.
func (c configure) collect(ctx context.Context, l *load) ([]settings.Secret, error) {
	from, id := l.plugin.Spec.SettingsFrom, l.plan.Identity
	if err := settings.CheckNames(l.plugin.Spec.Settings, from); err != nil {
		return nil, err
	}
	data, err := c.read(ctx, id, from)
	if err != nil {
		return nil, err
	}
	var out []settings.Secret
	for _, f := range from {
		value, ok := data[f.SecretRef.Name][f.SecretRef.Key]
		if !ok {
			return nil, plugin.Reject(pluginsv1alpha1.ReasonSecretKeyNotFound,
				"Secret %q in namespace %q has no key %q, which spec.settingsFrom takes %q from: add it, or change spec.settingsFrom",
				f.SecretRef.Name, id.Namespace, f.SecretRef.Key, f.As)
		}
		secret, err := settings.NewSecret(f, value)
		if err != nil {
			return nil, err
		}
		out = append(out, secret)
	}
	return out, nil
}

// read reads each Secret once. One error reports all Secrets that the ServiceAccount is not allowed to get.
func (c configure) read(ctx context.Context, id rbac.Identity, from []pluginsv1alpha1.SettingSource) (map[string]map[string][]byte, error) {
	data := map[string]map[string][]byte{}
	var forbidden []string
	var failed error
	for _, f := range from {
		name := f.SecretRef.Name
		if _, read := data[name]; read || slices.Contains(forbidden, name) {
			continue
		}
		values, err := c.secrets.Secret(ctx, id, name)
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
	if err := c.permissions.checkServiceAccount(ctx, id); err != nil {
		return nil, err
	}
	if err := c.permissions.checkImpersonation(ctx, id); err != nil {
		return nil, err
	}
	return nil, plugin.Reject(pluginsv1alpha1.ReasonSecretForbidden, "%s",
		plan.GrantMessage(id, []plan.Grant{plan.GrantToGet(id.Namespace, forbidden)}))
}

// secretProblem returns why a Secret could not be read, for reasons other than a missing permission.
func secretProblem(id rbac.Identity, name string, err error) error {
	if apierrors.IsNotFound(err) {
		return plugin.Reject(pluginsv1alpha1.ReasonSecretNotFound,
			"Secret %q does not exist in namespace %q: create it, or change spec.settingsFrom", name, id.Namespace)
	}
	return fmt.Errorf("get Secret %q: %w", name, err)
}
