// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"errors"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// Move describes how a resource is served now, if that differs from a rule.
type Move struct {
	// From is the resource in the rule.
	From schema.GroupResource
	// Resource, Versions and Namespaced are those that are served now.
	Resource   string
	Versions   []string
	Namespaced bool
}

// rule returns a rule that matches the resource after a move.
func (m Move) rule(r admissionregistrationv1.RuleWithOperations) admissionregistrationv1.RuleWithOperations {
	if len(r.APIGroups) != 1 || r.APIGroups[0] != m.From.Group || len(r.Resources) != 1 || r.Resources[0] != m.From.Resource {
		return r
	}
	scope := admissionregistrationv1.ClusterScope
	if m.Namespaced {
		scope = admissionregistrationv1.NamespacedScope
	}
	r.APIVersions, r.Resources, r.Scope = m.Versions, []string{m.Resource}, &scope
	return r
}

// Follow updates the webhook configurations of a plugin that cannot serve, if Reader has them: to its failure policy,
// and to how the resources of its rules are served. Everything else in them depends on the plugin's module, and is
// kept.
func (c *Configurations) Follow(ctx context.Context, name types.NamespacedName, policy pluginsv1alpha1.FailurePolicy, moves []Move) error {
	return errors.Join(c.followValidating(ctx, name, policy, moves), c.followMutating(ctx, name, policy, moves))
}

func (c *Configurations) followValidating(ctx context.Context, name types.NamespacedName, policy pluginsv1alpha1.FailurePolicy, moves []Move) error {
	found := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if known, err := c.known(ctx, name, found); !known {
		return err
	}
	wanted := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: c.meta(name)}
	for i := range found.Webhooks {
		w := found.Webhooks[i].DeepCopy()
		w.ClientConfig, w.Rules = c.clientConfig(validating.path(name)), moved(w.Rules, moves)
		w.FailurePolicy = (&Plugin{FailurePolicy: policy}).failurePolicy()
		wanted.Webhooks = append(wanted.Webhooks, *w)
	}
	if equality.Semantic.DeepEqual(found.Webhooks, wanted.Webhooks) {
		return nil
	}
	return c.apply(ctx, wanted)
}

func (c *Configurations) followMutating(ctx context.Context, name types.NamespacedName, policy pluginsv1alpha1.FailurePolicy, moves []Move) error {
	found := &admissionregistrationv1.MutatingWebhookConfiguration{}
	if known, err := c.known(ctx, name, found); !known {
		return err
	}
	wanted := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: c.meta(name)}
	for i := range found.Webhooks {
		w := found.Webhooks[i].DeepCopy()
		w.ClientConfig, w.Rules = c.clientConfig(mutating.path(name)), moved(w.Rules, moves)
		w.FailurePolicy = (&Plugin{FailurePolicy: policy}).failurePolicy()
		wanted.Webhooks = append(wanted.Webhooks, *w)
	}
	if equality.Semantic.DeepEqual(found.Webhooks, wanted.Webhooks) {
		return nil
	}
	return c.apply(ctx, wanted)
}

// known reads a plugin's configuration, and reports whether it exists.
func (c *Configurations) known(ctx context.Context, name types.NamespacedName, into client.Object) (bool, error) {
	err := c.Reader.Get(ctx, types.NamespacedName{Name: configurationName(name)}, into)
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read the webhook configuration %q: %w", configurationName(name), err)
	case len(c.CA.CABundle()) == 0:
		return false, fmt.Errorf("write the webhook configuration %q: %w", configurationName(name), errNoCA)
	}
	return true, nil
}

// moved returns the rules that match the resources after moves.
func moved(rules []admissionregistrationv1.RuleWithOperations, moves []Move) []admissionregistrationv1.RuleWithOperations {
	out := make([]admissionregistrationv1.RuleWithOperations, len(rules))
	for i, r := range rules {
		for _, m := range moves {
			r = m.rule(r)
		}
		out[i] = r
	}
	return out
}
