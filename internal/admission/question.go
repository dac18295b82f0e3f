// SPDX-License-Identifier: Apache-2.0

package admission

import (
	admissionv1 "k8s.io/api/admission/v1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access"
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

// passes says whether the request is none of the plugin's business.
func (q *question) passes(exempt Exempt) bool {
	switch {
	case q.target == nil, q.SubResource != "", exemptGroup(q.Resource.Group):
		return true
	case exempt.has(q.Namespace), q.isNamespace() && exempt.has(q.Name):
		return true
	default:
		return q.ownWrite() || q.ends()
	}
}

// isNamespace says whether the request is about a Namespace. What stands in Namespace then differs by operation.
func (q *question) isNamespace() bool {
	return q.Resource.Group == "" && q.Resource.Resource == "namespaces"
}

// ownWrite says whether the plugin's own guest makes the request, through the operator: the instance waits for the
// request, and must not have to wait for another one. An account that the operator impersonates has no UID; one with
// a token of its own has, and is held up like everybody. Of a plugin that acts as the operator, all that the operator
// does may be its own.
func (q *question) ownWrite() bool {
	id := q.plugin.Identity
	return q.UserInfo.Username == id.Username() && (q.UserInfo.UID == "" || id.Operator != "")
}

// ends says whether the request is a step of a deletion that was let through before, or gives up or takes a part in
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
