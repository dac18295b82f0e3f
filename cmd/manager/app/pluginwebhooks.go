// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"net/http"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/admission"
	"github.com/k1s-io/k1s/internal/controller/wasmplugin"
)

// pluginWebhooks implements wasmplugin.Webhooks.
type pluginWebhooks struct {
	*admission.Server
	configurations *admission.Configurations
	changed        <-chan struct{}
}

var _ wasmplugin.Webhooks = pluginWebhooks{}

func (w pluginWebhooks) Ensure(ctx context.Context, p *admission.Plugin) error {
	return w.configurations.Ensure(ctx, p)
}

func (w pluginWebhooks) Delete(ctx context.Context, name types.NamespacedName) error {
	return w.configurations.Remove(ctx, name)
}

func (w pluginWebhooks) Follow(ctx context.Context, name types.NamespacedName, policy pluginsv1alpha1.FailurePolicy, moves []admission.Move) error {
	return w.configurations.Follow(ctx, name, policy, moves)
}

func (w pluginWebhooks) Sweep(ctx context.Context, keep func(types.NamespacedName) bool) error {
	return w.configurations.Sweep(ctx, keep)
}

func (w pluginWebhooks) Changed() <-chan struct{} { return w.changed }

// servePlugins registers the webhooks of plugins with the webhook server. It sets the remaining options.
func (w *webhooks) servePlugins(ctx context.Context, mgr manager.Manager, o Options, server admission.ServerOptions) (wasmplugin.Webhooks, error) {
	owner, err := w.ownerReference(ctx)
	if err != nil {
		return nil, err
	}
	exempt := admission.NewExempt(o.Namespace)
	server.Exempt, server.Marks, server.Log = exempt, w.marks, mgr.GetLogger().WithName("admission")
	plugins := admission.NewServer(server)
	w.server.Register(admission.PathPrefix, http.Handler(plugins))
	options := admission.ConfigurationsOptions{Client: mgr.GetClient(), Exempt: exempt, CA: w.certs, URL: w.url, Owner: owner}
	if w.url == "" {
		options.Service = &admissionregistrationv1.ServiceReference{Namespace: w.service.Namespace, Name: w.service.Name}
	}
	return pluginWebhooks{Server: plugins, configurations: admission.NewConfigurations(options), changed: w.certs.Subscribe()}, nil
}

// removeWebhooks removes the webhook configurations that an earlier operator with webhooks has left, when webhooks are
// disabled: nothing would answer their requests.
func removeWebhooks(mgr manager.Manager, namespace string) manager.RunnableFunc {
	left := admission.NewConfigurations(admission.ConfigurationsOptions{Client: mgr.GetClient(), Exempt: admission.NewExempt(namespace)})
	return func(ctx context.Context) error {
		if err := left.Sweep(ctx, func(types.NamespacedName) bool { return false }); err != nil && ctx.Err() == nil {
			mgr.GetLogger().Error(err, "Failed to remove the webhook configurations of plugins: "+
				"kubectl delete validatingwebhookconfigurations,mutatingwebhookconfigurations -l app.kubernetes.io/managed-by=k1s")
		}
		return nil
	}
}
