// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Path is where the webhook is served.
const Path = "/validate-plugins-k1s-io-v1alpha1-wasmplugin"

// Known tells of modules that the operator has seen.
type Known interface {
	// Known returns a module's metadata, if the operator has it.
	Known(digest plugin.Digest) (plugin.Metadata, bool)
}

// Reviews answers what users may do.
type Reviews interface {
	Create(ctx context.Context, review *authorizationv1.SubjectAccessReview, opts metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error)
}

// Operator tells who the operator is.
type Operator interface {
	Username(ctx context.Context) (string, error)
}

// Options configure the webhook.
type Options struct {
	Known Known
	// CheckServiceAccountUse refuses a user who may neither use nor impersonate the ServiceAccount that is named. It
	// needs Operator.
	CheckServiceAccountUse bool
	Reviews                Reviews
	Operator               Operator
}

// Register serves the webhook at Path. The reader is for WasmPlugins, and had better be a cache. The configuration that
// sends requests here is for CREATE and UPDATE of wasmplugins, not for their status; deletions are never held up.
func Register(server webhook.Server, scheme *runtime.Scheme, reader client.Reader, o Options) {
	server.Register(Path, admission.WithValidator(scheme, &validator{Options: o, reader: reader}))
}

// validator implements admission.Validator.
type validator struct {
	Options
	reader client.Reader

	settingsChecks plugin.SettingsChecks
}

var _ admission.Validator[*pluginsv1alpha1.WasmPlugin] = (*validator)(nil)

// ValidateCreate checks everything.
func (v *validator) ValidateCreate(ctx context.Context, wp *pluginsv1alpha1.WasmPlugin) (admission.Warnings, error) {
	return v.validate(ctx, wp)
}

// ValidateUpdate checks everything, if the spec has changed in more than suspend. Whoever is woken at night must be
// able to stop a plugin and let it go on, whatever else is wrong with it; metadata, such as finalizers, is not looked at.
func (v *validator) ValidateUpdate(ctx context.Context, before, after *pluginsv1alpha1.WasmPlugin) (admission.Warnings, error) {
	was := before.Spec // a shallow copy
	was.Suspend = after.Spec.Suspend
	if !after.DeletionTimestamp.IsZero() || equality.Semantic.DeepEqual(was, after.Spec) {
		return nil, nil
	}
	return v.validate(ctx, after)
}

// ValidateDelete lets every deletion through.
func (v *validator) ValidateDelete(context.Context, *pluginsv1alpha1.WasmPlugin) (admission.Warnings, error) {
	return nil, nil
}

func (v *validator) validate(ctx context.Context, wp *pluginsv1alpha1.WasmPlugin) (admission.Warnings, error) {
	if err := v.checkSpec(ctx, wp.Spec); err != nil {
		return nil, err
	}
	if err := v.checkUser(ctx, wp); err != nil {
		return nil, err
	}
	return v.rivals(ctx, wp), nil
}
