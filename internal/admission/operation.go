// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"cmp"
	"maps"

	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/ownwrite"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/admission/object"
)

// operation is one admission request for one plugin.
type operation struct {
	*admissionv1.AdmissionRequest

	plugin *served
	hook   webhook
	// target is nil if the kind is not one of the plugin's.
	target *Target
	// unasked is why the plugin cannot be called, or nil.
	unasked error
}

// complete sets the name of the object if the API server sends none: a request that deletes a collection has no name,
// and neither has one that creates an object with metadata.generateName. The name is taken from the object, if it has
// one.
func complete(request *admissionv1.AdmissionRequest) {
	if request.Name == "" {
		request.Name = cmp.Or(object.Name(request.OldObject.Raw), object.Name(request.Object.Raw))
	}
}

// passes reports whether the request is allowed without calling the plugin.
func (q *operation) passes(exempt Exempt, marks Marks) bool {
	switch {
	case q.target == nil, q.SubResource != "", exemptGroup(q.Resource.Group):
		return true
	case exempt.has(q.Namespace), q.isNamespace() && exempt.has(q.Name):
		return true
	default:
		return q.isModule() || q.ownWrite(marks) || q.ends()
	}
}

// isNamespace reports whether the request is for a Namespace. The content of the request's Namespace then depends on
// the operation.
func (q *operation) isNamespace() bool {
	return q.Resource.Group == "" && q.Resource.Resource == "namespaces"
}

// isModule reports whether the request is for the ConfigMap with the plugin's module. A plugin must not prevent people
// from fixing its own module.
func (q *operation) isModule() bool {
	return q.Resource.Group == "" && q.Resource.Resource == "configmaps" && q.plugin.Module != types.NamespacedName{} &&
		q.plugin.Module == types.NamespacedName{Namespace: q.Namespace, Name: q.Name}
}

// ownWrite reports whether the request comes from the plugin's own guest, through the operator. The instance waits for
// the response of that request, and must not have to wait for a second instance. The request is identified by its mark,
// not by its ServiceAccount: other plugins may use the same ServiceAccount, and people may impersonate it. If a plugin
// acts as an operator without a ServiceAccount, its writes have no mark, so that all writes of the operator count as
// the plugin's own.
func (q *operation) ownWrite(marks Marks) bool {
	id := q.plugin.Identity
	if q.UserInfo.Username != id.Username() {
		return false
	}
	return !id.Marked() || marks != nil && marks.Verify(id.String(), q.UserInfo.Extra[ownwrite.ExtraKey])
}

// userInfo returns the user who makes the request, without marks: a guest that sees a mark could leak it.
func (q *operation) userInfo() authenticationv1.UserInfo {
	user := q.UserInfo
	if _, ok := user.Extra[ownwrite.ExtraKey]; ok {
		user.Extra = maps.Clone(user.Extra)
		delete(user.Extra, ownwrite.ExtraKey)
	}
	return user
}

// ends reports whether the request is a step of a deletion that was already allowed, or only changes finalizers. A
// plugin must not block the deletion of an object.
func (q *operation) ends() bool {
	if len(q.OldObject.Raw) == 0 { // there is no old object before the creation
		return false
	}
	// Only the old object is reliable: the API server has not reset these fields yet if a user set them in the new
	// object.
	if object.Terminating(q.OldObject.Raw) {
		return true
	}
	return q.Operation == admissionv1.Update && object.SameButFinalizers(q.Object.Raw, q.OldObject.Raw)
}

// namespace returns the namespace of the object, or "" if the object is cluster-scoped.
func (q *operation) namespace() string {
	if !q.target.Namespaced {
		return ""
	}
	return q.Namespace
}

// action returns the action that the plugin's ServiceAccount needs permission for.
func (q *operation) action() rbac.Action {
	verb := VerbValidate
	if q.hook == mutating {
		verb = VerbMutate
	}
	return rbac.Action{
		Verb: verb, Group: q.target.GVR.Group, Version: q.target.GVR.Version, Resource: q.target.GVR.Resource,
		Namespace: q.namespace(), Namespaced: q.target.Namespaced,
	}
}

// request returns the request in the form that a guest receives.
func (q *operation) request() abi.AdmissionRequest {
	apiVersion, kind := q.target.GVK.ToAPIVersionAndKind()
	return abi.AdmissionRequest{
		ObjectKey: abi.ObjectKey{APIVersion: apiVersion, Kind: kind, Namespace: q.namespace(), Name: q.Name},
		Object:    object.Guests(q.Object.Raw),
		OldObject: object.Guests(q.OldObject.Raw),
	}
}

// key returns the key of the object: Kind namespace/name.
func (q *operation) key() string {
	name := q.Name
	if name == "" {
		name = "(without a name yet)"
	}
	if q.Namespace != "" && !q.isNamespace() {
		name = q.Namespace + "/" + name
	}
	return q.Kind.Kind + " " + name
}
