// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"errors"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// errNoCA means that there is no CA certificate yet that the API server could trust.
var errNoCA = errors.New("the webhooks do not have a CA yet")

// CABundle returns the CA certificates that the API server must trust, in PEM. The bundle is empty if there are none
// yet.
type CABundle interface{ CABundle() []byte }

// ConfigurationsOptions are the options of Configurations.
type ConfigurationsOptions struct {
	// Client writes the webhook configurations, and lists them for Sweep.
	Client client.Client
	// Reader reads them, and can be a cache. Nil means Client.
	Reader client.Reader
	Exempt Exempt
	CA     CABundle
	// Service is the Service of the webhooks; its path is ignored.
	Service *admissionregistrationv1.ServiceReference
	// URL replaces Service if the operator runs outside of the cluster, such as "https://10.0.0.7:9443".
	URL string
	// Owner, if it is set, is the cluster-scoped owner of all webhook configurations, which are garbage collected with
	// it.
	Owner *metav1.OwnerReference
}

// Configurations writes the webhook configurations of plugins: for each plugin a ValidatingWebhookConfiguration and a
// MutatingWebhookConfiguration, or none if the plugin needs no webhooks of that type.
type Configurations struct{ ConfigurationsOptions }

// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingwebhookconfigurations;mutatingwebhookconfigurations,verbs=get;list;watch;create;patch;delete

// NewConfigurations returns Configurations.
func NewConfigurations(o ConfigurationsOptions) *Configurations {
	if o.Reader == nil {
		o.Reader = o.Client
	}
	return &Configurations{o}
}

// Ensure ensures the webhook configurations that a plugin needs. It writes only if something differs.
func (c *Configurations) Ensure(ctx context.Context, p *Plugin) error {
	return errors.Join(c.ensureValidating(ctx, p), c.ensureMutating(ctx, p))
}

// Remove deletes the webhook configurations of a plugin, if Reader has them. It is called for every plugin, and few
// plugins have webhook configurations. If a cache does not have a new one yet, its watch event triggers another
// reconcile, see Requests.
func (c *Configurations) Remove(ctx context.Context, name types.NamespacedName) error {
	var err error
	for _, kind := range Kinds() {
		kind.SetName(configurationName(name))
		known := c.Reader.Get(ctx, client.ObjectKeyFromObject(kind), kind)
		if apierrors.IsNotFound(known) {
			continue
		}
		err = errors.Join(err, c.delete(ctx, kind))
	}
	return err
}

// Sweep deletes the webhook configurations of all plugins that keep returns false for, such as plugins that were
// deleted while the operator did not run.
func (c *Configurations) Sweep(ctx context.Context, keep func(types.NamespacedName) bool) error {
	ours := client.MatchingLabelsSelector{Selector: Selector()}
	var validators admissionregistrationv1.ValidatingWebhookConfigurationList
	var mutators admissionregistrationv1.MutatingWebhookConfigurationList
	if err := errors.Join(c.Client.List(ctx, &validators, ours), c.Client.List(ctx, &mutators, ours)); err != nil {
		return fmt.Errorf("list the webhook configurations: %w", err)
	}
	var all []client.Object
	for i := range validators.Items {
		all = append(all, &validators.Items[i])
	}
	for i := range mutators.Items {
		all = append(all, &mutators.Items[i])
	}
	var err error
	for _, configuration := range all {
		if name, ok := PluginOf(configuration); ok && !keep(name) {
			err = errors.Join(err, c.delete(ctx, configuration))
		}
	}
	return err
}

func (c *Configurations) ensureValidating(ctx context.Context, p *Plugin) error {
	found := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	wanted := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: c.meta(p.Name)}
	for _, g := range groups(p, validating, c.Exempt) {
		wanted.Webhooks = append(wanted.Webhooks, admissionregistrationv1.ValidatingWebhook{
			Name: g.name, ClientConfig: c.clientConfig(validating.path(p.Name)),
			Rules: g.rules, NamespaceSelector: g.namespaces, ObjectSelector: p.objects(), MatchConditions: p.conditions(g.rules),
			FailurePolicy: p.failurePolicy(), TimeoutSeconds: p.timeoutSeconds(),
			MatchPolicy: new(admissionregistrationv1.Equivalent), SideEffects: new(admissionregistrationv1.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"},
		})
	}
	return c.ensure(ctx, found, wanted, len(wanted.Webhooks) == 0, func() bool {
		return c.sameMeta(found, wanted) && equality.Semantic.DeepEqual(found.Webhooks, wanted.Webhooks)
	})
}

func (c *Configurations) ensureMutating(ctx context.Context, p *Plugin) error {
	found := &admissionregistrationv1.MutatingWebhookConfiguration{}
	wanted := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: c.meta(p.Name)}
	for _, g := range groups(p, mutating, c.Exempt) {
		wanted.Webhooks = append(wanted.Webhooks, admissionregistrationv1.MutatingWebhook{
			Name: g.name, ClientConfig: c.clientConfig(mutating.path(p.Name)),
			Rules: g.rules, NamespaceSelector: g.namespaces, ObjectSelector: p.objects(), MatchConditions: p.conditions(g.rules),
			FailurePolicy: p.failurePolicy(), TimeoutSeconds: p.timeoutSeconds(),
			MatchPolicy: new(admissionregistrationv1.Equivalent), SideEffects: new(admissionregistrationv1.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"},
			// Fields that another webhook has added may need defaults too.
			ReinvocationPolicy: new(admissionregistrationv1.IfNeededReinvocationPolicy),
		})
	}
	return c.ensure(ctx, found, wanted, len(wanted.Webhooks) == 0, func() bool {
		return c.sameMeta(found, wanted) && equality.Semantic.DeepEqual(found.Webhooks, wanted.Webhooks)
	})
}

// ensure ensures that a configuration is as wanted, or deleted if empty is true. The current configuration is read into
// found, and compared by same.
func (c *Configurations) ensure(ctx context.Context, found, wanted client.Object, empty bool, same func() bool) error {
	err := c.Reader.Get(ctx, client.ObjectKeyFromObject(wanted), found)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("read the webhook configuration %q: %w", wanted.GetName(), err)
	case empty && err != nil:
		return nil //nolint:nilerr // it is not there
	case empty:
		return c.delete(ctx, wanted)
	case len(c.CA.CABundle()) == 0:
		return fmt.Errorf("write the webhook configuration %q: %w", wanted.GetName(), errNoCA)
	case err == nil && same():
		return nil
	}
	return c.apply(ctx, wanted)
}

// apply writes a configuration with server-side apply. It overwrites changes of other field managers to the applied
// fields.
func (c *Configurations) apply(ctx context.Context, wanted client.Object) error {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(wanted)
	if err != nil {
		return fmt.Errorf("convert the webhook configuration %q: %w", wanted.GetName(), err)
	}
	gvk, err := c.Client.GroupVersionKindFor(wanted)
	if err != nil {
		return err
	}
	applied := &unstructured.Unstructured{Object: fields}
	applied.SetGroupVersionKind(gvk)
	unstructured.RemoveNestedField(fields, "metadata", "creationTimestamp")
	err = c.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner(manager), client.ForceOwnership)
	if err != nil {
		return fmt.Errorf("apply the %s %q: %w", gvk.Kind, wanted.GetName(), err)
	}
	return nil
}

func (c *Configurations) delete(ctx context.Context, configuration client.Object) error {
	if err := c.Client.Delete(ctx, configuration); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete the webhook configuration %q: %w", configuration.GetName(), err)
	}
	return nil
}

// configurationName returns the name of both webhook configurations of a plugin. It is unique, because a namespace has
// no dots.
func configurationName(plugin types.NamespacedName) string {
	return "k1s." + plugin.Namespace + "." + plugin.Name
}

func (c *Configurations) meta(plugin types.NamespacedName) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Name: configurationName(plugin), Labels: labelsOf(plugin)}
	if c.Owner != nil {
		m.OwnerReferences = []metav1.OwnerReference{*c.Owner}
	}
	return m
}

// sameMeta reports whether the configuration found has all wanted labels and the owner. It may have others too.
func (c *Configurations) sameMeta(found, wanted client.Object) bool {
	for key, value := range wanted.GetLabels() {
		if found.GetLabels()[key] != value {
			return false
		}
	}
	if c.Owner == nil {
		return true
	}
	for _, owner := range found.GetOwnerReferences() {
		if equality.Semantic.DeepEqual(owner, *c.Owner) {
			return true
		}
	}
	return false
}

func (c *Configurations) clientConfig(path string) admissionregistrationv1.WebhookClientConfig {
	config := admissionregistrationv1.WebhookClientConfig{CABundle: c.CA.CABundle()}
	if c.URL != "" {
		config.URL = new(c.URL + path)
		return config
	}
	service := *c.Service
	service.Path = &path
	if service.Port == nil {
		service.Port = new(int32(443)) // the default of the API server
	}
	config.Service = &service
	return config
}
