// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/plugin"
)

// The verbs that a plugin's ServiceAccount needs on a resource.
const (
	// VerbValidate is for validate_create, validate_update, validate_delete and admit.
	VerbValidate = "validate"
	// VerbMutate is for set_defaults.
	VerbMutate = "mutate"
)

// Plugin is what requests are held up for.
type Plugin struct {
	// Name is that of the WasmPlugin.
	Name types.NamespacedName
	// Identity is who the plugin acts as; it needs VerbValidate or VerbMutate for each request.
	Identity access.Identity
	// Runner runs the exports of the revision that serves; a Slot.
	Runner plugin.Runner
	// Exports are those of validate_create, validate_update, validate_delete, set_defaults and admit that requests
	// are held up for.
	Exports []string
	// Operations are those of CREATE, UPDATE and DELETE that the module wants to be asked about; nil means all.
	Operations []string
	Targets    []Target
	// Module is the ConfigMap with the module, for which no requests are sent to the plugin; empty for another source.
	Module types.NamespacedName
	// FailurePolicy says what becomes of a request that the plugin cannot answer.
	FailurePolicy pluginsv1alpha1.FailurePolicy
	// Timeout bounds one request.
	Timeout time.Duration
	// ObjectSelector picks the objects; nil means all.
	ObjectSelector *metav1.LabelSelector
	// Unavailable says why the plugin cannot be asked, as the end of the sentence "the plugin …"; then FailurePolicy
	// decides about every request that the plugin has permission for, and there is no Runner. Empty for one that can.
	Unavailable string
	// Failed hears of each request that the plugin could not answer; it must not block.
	Failed func(Failure)
}

// Failure is a request that a plugin could not answer.
type Failure struct {
	Export string
	Key    string // "Kind namespace/name"
	Err    error
}

// Target is a kind whose objects' requests are held up.
type Target struct {
	GVK        schema.GroupVersionKind
	GVR        schema.GroupVersionResource
	Namespaced bool
	// Validate and Mutate are where the account has the right to.
	Validate, Mutate Scope
}

// Scope is where a right reaches.
type Scope struct {
	// All is every namespace, and cluster-scoped objects.
	All bool
	// Namespaces are sorted.
	Namespaces []string
}

// Empty reports whether the scope reaches nowhere.
func (s Scope) Empty() bool { return !s.All && len(s.Namespaces) == 0 }

// Has reports whether the scope reaches a namespace; the empty one is that of cluster-scoped objects.
func (s Scope) Has(namespace string) bool {
	return s.All || namespace != "" && slices.Contains(s.Namespaces, namespace)
}
