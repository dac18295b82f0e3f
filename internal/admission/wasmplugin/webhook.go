// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"context"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/plugin/settings"
)

// Path is the URL path of the webhook.
const Path = "/validate-plugins-k1s-io-v1alpha1-wasmplugin"

// Known provides the metadata of modules that the operator has seen.
type Known interface {
	// Known returns a module's metadata, if the operator has it.
	Known(digest plugin.Digest) (plugin.Metadata, bool)
}

// Reviews creates SubjectAccessReviews for users.
type Reviews interface {
	Create(ctx context.Context, review *authorizationv1.SubjectAccessReview, opts metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error)
}

// Operator returns the operator's own user name.
type Operator interface {
	Username(ctx context.Context) (string, error)
}

// Options are the options of the webhook.
type Options struct {
	Known Known
	// CheckServiceAccountUse denies requests of users who are allowed neither to use nor to impersonate the plugin's
	// ServiceAccount. It needs Operator.
	CheckServiceAccountUse bool
	Reviews                Reviews
	Operator               Operator
}

// Register serves the webhook at Path. The webhook configuration must match CREATE and UPDATE of wasmplugins, but not
// their status, and no deletions.
func Register(server webhook.Server, scheme *runtime.Scheme, o Options) {
	server.Register(Path, admission.WithValidator(scheme, &validator{Options: o}))
}

// validator implements admission.Validator.
type validator struct {
	Options

	settingsChecks settings.Checker
}

var _ admission.Validator[*pluginsv1alpha1.WasmPlugin] = (*validator)(nil)

// ValidateCreate checks everything.
func (v *validator) ValidateCreate(ctx context.Context, wp *pluginsv1alpha1.WasmPlugin) (admission.Warnings, error) {
	return v.validate(ctx, wp)
}

// ValidateUpdate checks everything, if the spec has changed in more than suspend. In an emergency, it must be possible
// to suspend and resume a plugin, whatever else is wrong with it. Changes of metadata, such as finalizers, are not
// checked.
func (v *validator) ValidateUpdate(ctx context.Context, before, after *pluginsv1alpha1.WasmPlugin) (admission.Warnings, error) {
	was := before.Spec // a shallow copy
	was.Suspend = after.Spec.Suspend
	if !after.DeletionTimestamp.IsZero() || equality.Semantic.DeepEqual(was, after.Spec) {
		return nil, nil
	}
	return v.validate(ctx, after)
}

// ValidateDelete allows every deletion.
func (v *validator) ValidateDelete(context.Context, *pluginsv1alpha1.WasmPlugin) (admission.Warnings, error) {
	return nil, nil
}

func (v *validator) validate(ctx context.Context, wp *pluginsv1alpha1.WasmPlugin) (admission.Warnings, error) {
	if err := v.checkSpec(ctx, wp.Spec); err != nil {
		return nil, err
	}
	return nil, v.checkUser(ctx, wp)
}
