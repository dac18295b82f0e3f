// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// OwnerReference names an object in the same namespace, or a cluster-scoped one, that this object
// belongs to: when all owners are gone it is deleted.
type OwnerReference struct {
	TypeReference
	Name, UID string
	// Controller says that this owner manages the object; at most one owner does.
	Controller bool
	// BlockOwnerDeletion keeps the owner until this object is gone, when the owner is deleted in the
	// foreground.
	BlockOwnerDeletion bool
}

// OwnedBy returns a reference to the object that manages another one. With the kind of the other one in
// the WasmPlugin's spec.owns, its changes reconcile the owner.
func OwnedBy(owner Identity) OwnerReference {
	return OwnerReference{TypeReference: owner.TypeRef(), Name: owner.GetName(), UID: owner.GetUID(), Controller: true}
}

// UnmarshalK1s reads the reference.
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

// MarshalK1s writes the reference.
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
