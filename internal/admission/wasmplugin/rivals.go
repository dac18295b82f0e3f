// SPDX-License-Identifier: Apache-2.0

package wasmplugin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// maxRivals is how many warnings are returned. Clients show each on a line of its own.
const maxRivals = 5

// rivals returns warnings about other plugins that set defaults in the same objects: their order is not defined, and
// each plugin sees the changes of the previous ones. Selectors are not compared, because labels change. As it is only a
// warning, it is omitted if an error occurs.
func (v *validator) rivals(ctx context.Context, wp *pluginsv1alpha1.WasmPlugin) []string {
	kinds := v.defaults(wp)
	if len(kinds) == 0 {
		return nil
	}
	var list pluginsv1alpha1.WasmPluginList
	if err := v.reader.List(ctx, &list); err != nil {
		log.FromContext(ctx).Error(err, "Failed to list WasmPlugins for a warning")
		return nil
	}
	var warnings []string
	hidden := false
	mayList := v.lister(ctx)
	for i := range list.Items {
		other := &list.Items[i]
		if other.Namespace == wp.Namespace && other.Name == wp.Name || !other.DeletionTimestamp.IsZero() || !overlap(wp, other) {
			continue
		}
		var both []schema.GroupVersionKind
		for _, gvk := range v.defaults(other) {
			// Another version of a kind has the same objects.
			if slices.ContainsFunc(kinds, func(k schema.GroupVersionKind) bool { return k.GroupKind() == gvk.GroupKind() }) {
				both = append(both, gvk)
			}
		}
		switch {
		case len(both) == 0:
		case !mayList(other.Namespace):
			hidden = true
		default:
			warnings = append(warnings, fmt.Sprintf("WasmPlugin %q in namespace %q sets defaults for %s too: which of the two comes first is not defined",
				other.Name, other.Namespace, plugin.KindNames(both)))
		}
	}
	slices.Sort(warnings)
	if more := len(warnings) - maxRivals; more > 0 {
		warnings = append(warnings[:maxRivals], fmt.Sprintf("%d more WasmPlugins set defaults for the same kinds", more))
	}
	if hidden {
		warnings = append(warnings, "plugins that you are not allowed to list set defaults for the same kinds: which of them comes first is not defined")
	}
	return warnings
}

// lister returns a function that reports whether the user who makes the request is allowed to list the WasmPlugins of a
// namespace: the operator can list all WasmPlugins, which not every user is allowed to see. To limit the cost of a
// request, it reviews at most maxRivals namespaces.
func (v *validator) lister(ctx context.Context) func(namespace string) bool {
	request, err := admission.RequestFromContext(ctx)
	if err != nil {
		return func(string) bool { return false }
	}
	asked := map[string]bool{}
	may := func(namespace string) bool {
		allowed, known := asked[namespace]
		if known || len(asked) > maxRivals {
			return allowed
		}
		allowed, err := v.review(ctx, request.UserInfo, authorizationv1.ResourceAttributes{
			Verb: "list", Group: pluginsv1alpha1.GroupVersion.Group, Version: pluginsv1alpha1.GroupVersion.Version, Resource: "wasmplugins", Namespace: namespace,
		})
		if err != nil {
			log.FromContext(ctx).Error(err, "Failed to review whether a user is allowed to list WasmPlugins, for a warning")
		}
		asked[namespace] = allowed
		return allowed
	}
	return func(namespace string) bool { return may("") || may(namespace) }
}

// defaults returns the kinds that a plugin sets defaults for, as far as that is known from its spec and its module.
func (v *validator) defaults(wp *pluginsv1alpha1.WasmPlugin) []schema.GroupVersionKind {
	metadata := v.metadata(wp)
	capabilities := wp.Spec.Capabilities
	if len(capabilities) == 0 {
		capabilities = metadata.Capabilities
	}
	if !slices.Contains(capabilities, plugin.CapabilityDefaulting) {
		return nil
	}
	if len(wp.Spec.ForTypes) == 0 {
		return metadata.ForTypes
	}
	targets, err := plugin.ParseForTypes(wp.Spec.ForTypes)
	if err != nil {
		return nil // such a plugin does not load
	}
	kinds := make([]schema.GroupVersionKind, len(targets))
	for i, t := range targets {
		kinds[i] = t.GVK
	}
	return kinds
}

// metadata returns the metadata of the module that the spec pins, or of the serving module.
func (v *validator) metadata(wp *pluginsv1alpha1.WasmPlugin) plugin.Metadata {
	digest := wp.Spec.SHA256
	if wp.Status.Revision != nil {
		digest = cmp.Or(digest, strings.TrimPrefix(wp.Status.Revision.Digest, "sha256:"))
	}
	metadata, _ := v.Known.Known(plugin.Digest(digest))
	return metadata
}

// overlap reports whether two plugins have access to a common namespace.
func overlap(a, b *pluginsv1alpha1.WasmPlugin) bool {
	x, y := plugin.AllowedNamespaces(a.Spec.Security, a.Namespace), plugin.AllowedNamespaces(b.Spec.Security, b.Namespace)
	if len(x) == 0 || len(y) == 0 {
		return false
	}
	return x.All() || y.All() || slices.ContainsFunc(x, y.Has)
}
