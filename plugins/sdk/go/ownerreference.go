// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// OwnerReference refers to an owner of the object: an object in the same namespace, or a cluster-scoped one. When all
// owners are deleted, the object is garbage-collected.
type OwnerReference struct {
	TypeReference
	Name, UID string
	// Controller means that this owner is the managing controller. At most one owner is.
	Controller bool
	// BlockOwnerDeletion blocks the deletion of the owner until this object is removed, if the owner is deleted with
	// foreground propagation.
	BlockOwnerDeletion bool
}

// OwnedBy returns a controller reference to the owner of an object. If the WasmPlugin's spec.owns contains the kind of
// the object, changes of the object reconcile the owner.
func OwnedBy(owner Identity) OwnerReference {
	return OwnerReference{TypeReference: owner.TypeRef(), Name: owner.GetName(), UID: owner.GetUID(), Controller: true}
}

// UnmarshalK1s decodes the reference.
func (r *OwnerReference) UnmarshalK1s(d *json.Decoder) {
	*r = OwnerReference{}
	for name := range d.Members() {
		switch name {
		case "apiVersion":
			r.APIVersion = d.String()
		case "kind":
			r.Kind = d.String()
		case "name":
			r.Name = d.String()
		case "uid":
			r.UID = d.String()
		case "controller":
			r.Controller = d.Bool()
		case "blockOwnerDeletion":
			r.BlockOwnerDeletion = d.Bool()
		}
	}
}

// MarshalK1s encodes the reference.
func (r *OwnerReference) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	r.WriteMembers(e)
	e.Key("name").String(r.Name)
	e.Key("uid").String(r.UID)
	if r.Controller {
		e.Key("controller").Bool(true)
	}
	if r.BlockOwnerDeletion {
		e.Key("blockOwnerDeletion").Bool(true)
	}
	e.EndObject()
}
