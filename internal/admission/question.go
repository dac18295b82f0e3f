// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"cmp"
	"maps"

	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/access/ownwrite"
	"github.com/k1s-io/k1s/internal/admission/object"
)

// question is one request that is held up for one plugin.
type question struct {
	*admissionv1.AdmissionRequest

	plugin *served
	hook   webhook
	// target is nil for a kind that is none of the plugin's.
	target *Target
	// unasked is why the plugin cannot be asked, or nil.
	unasked error
}

// complete adds the name of the object where the API server sends none: the request that deletes a collection has no
// name, nor has one that creates an object of metadata.generateName. The object has it as soon as there is one.
func complete(request *admissionv1.AdmissionRequest) {
	if request.Name == "" {
		request.Name = cmp.Or(object.Name(request.OldObject.Raw), object.Name(request.Object.Raw))
	}
}

// passes reports whether the request is not for the plugin.
func (q *question) passes(exempt Exempt, marks Marks) bool {
	switch {
	case q.target == nil, q.SubResource != "", exemptGroup(q.Resource.Group):
		return true
	case exempt.has(q.Namespace), q.isNamespace() && exempt.has(q.Name):
		return true
	default:
		return q.isModule() || q.ownWrite(marks) || q.ends()
	}
}

// isNamespace reports whether the request is about a Namespace. What stands in Namespace then differs by operation.
func (q *question) isNamespace() bool {
	return q.Resource.Group == "" && q.Resource.Resource == "namespaces"
}

// isModule reports whether the request is for the ConfigMap with the plugin's module: a plugin must not keep people
// from repairing it.
func (q *question) isModule() bool {
	return q.Resource.Group == "" && q.Resource.Resource == "configmaps" && q.plugin.Module != types.NamespacedName{} &&
		q.plugin.Module == types.NamespacedName{Namespace: q.Namespace, Name: q.Name}
}

// ownWrite reports whether the plugin's own guest makes the request, through the operator: the instance waits for the
// request, and must not have to wait for another one. The mark tells, and not the ServiceAccount: other plugins may
// have the same one, and people may impersonate it. Writes of a plugin that acts as an operator without a ServiceAccount
// have no mark, so everything that the operator does counts as its own.
func (q *question) ownWrite(marks Marks) bool {
	id := q.plugin.Identity
	if q.UserInfo.Username != id.Username() {
		return false
	}
	return !id.Marked() || marks != nil && marks.Verify(id.String(), q.UserInfo.Extra[ownwrite.ExtraKey])
}

// userInfo is who makes the request, without marks: a guest that saw one could give it away.
func (q *question) userInfo() authenticationv1.UserInfo {
	user := q.UserInfo
	if _, ok := user.Extra[ownwrite.ExtraKey]; ok {
		user.Extra = maps.Clone(user.Extra)
		delete(user.Extra, ownwrite.ExtraKey)
	}
	return user
}

// ends reports whether the request is a step of a deletion that was let through before, or gives up or takes a part in
// one: a plugin must not keep an object from going.
func (q *question) ends() bool {
	if len(q.OldObject.Raw) == 0 { // there is none before it is created
		return false
	}
	// Only the old object can be believed: what a user writes there into the new one has yet to be put right.
	if object.Terminating(q.OldObject.Raw) {
		return true
	}
	return q.Operation == admissionv1.Update && object.SameButFinalizers(q.Object.Raw, q.OldObject.Raw)
}

// namespace is that of the object, empty for one that has none.
func (q *question) namespace() string {
	if !q.target.Namespaced {
		return ""
	}
	return q.Namespace
}

// action is what the plugin's account needs the right to.
func (q *question) action() access.Action {
	verb := VerbValidate
	if q.hook == mutating {
		verb = VerbMutate
	}
	return access.Action{
		Verb: verb, Group: q.target.GVR.Group, Version: q.target.GVR.Version, Resource: q.target.GVR.Resource,
		Namespace: q.namespace(), Namespaced: q.target.Namespaced,
	}
}

// request is what a guest sees of it.
func (q *question) request() abi.AdmissionRequest {
	apiVersion, kind := q.target.GVK.ToAPIVersionAndKind()
	return abi.AdmissionRequest{
		ObjectKey: abi.ObjectKey{APIVersion: apiVersion, Kind: kind, Namespace: q.namespace(), Name: q.Name},
		Object:    object.Guests(q.Object.Raw),
		OldObject: object.Guests(q.OldObject.Raw),
	}
}

// key names the object: Kind namespace/name.
func (q *question) key() string {
	name := q.Name
	if name == "" {
		name = "(without a name yet)"
	}
	if q.Namespace != "" && !q.isNamespace() {
		name = q.Namespace + "/" + name
	}
	return q.Kind.Kind + " " + name
}
