// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Verbs that a plugin's ServiceAccount needs on a resource.
const (
	// VerbValidate is for validate_create, validate_update, validate_delete and admit.
	VerbValidate = "validate"
	// VerbMutate is for set_defaults.
	VerbMutate = "mutate"
)

// Plugin is a plugin with admission webhooks.
type Plugin struct {
	// Name is the namespace and name of the WasmPlugin.
	Name types.NamespacedName
	// Identity is the identity that the plugin acts as. It needs the verb VerbValidate or VerbMutate for each request.
	Identity rbac.Identity
	// Runner runs the exports of the serving revision; a Slot.
	Runner plugin.Runner
	// Exports are those of validate_create, validate_update, validate_delete, set_defaults and admit that are called
	// for admission requests.
	Exports []string
	// Operations are those of CREATE, UPDATE and DELETE that the module handles; nil means all.
	Operations []string
	Targets    []Target
	// Module is the ConfigMap with the module, whose requests are not sent to the plugin; empty if the module has
	// another source.
	Module types.NamespacedName
	// FailurePolicy decides about a request that the plugin cannot answer.
	FailurePolicy pluginsv1alpha1.FailurePolicy
	// Timeout is the timeout of one request.
	Timeout time.Duration
	// ObjectSelector selects the objects; nil means all.
	ObjectSelector *metav1.LabelSelector
	// Unavailable is why the plugin cannot be called, as the end of the sentence "the plugin …". If it is set,
	// FailurePolicy decides about every request that the plugin has permission for, and there is no Runner. It is empty
	// if the plugin can be called.
	Unavailable string
	// Failed is called for each request that the plugin could not answer. It must not block.
	Failed func(Failure)
}

// Failure is a request that a plugin could not answer.
type Failure struct {
	Export string
	Key    string // "Kind namespace/name"
	Err    error
}

// Target is a kind whose admission requests a plugin handles.
type Target struct {
	GVK        schema.GroupVersionKind
	GVR        schema.GroupVersionResource
	Namespaced bool
	// Validate and Mutate are the namespaces in which the ServiceAccount has permission for the verbs, sorted.
	Validate, Mutate plugin.Namespaces
}
