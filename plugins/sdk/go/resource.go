// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// TypeReference is the API version and kind of an object.
type TypeReference struct {
	// APIVersion is the group and version, such as "apps/v1", or "v1" for the core group.
	APIVersion string
	// Kind is the kind, such as "Deployment".
	Kind string
}

// String returns the kind and its apiVersion for messages: "Deployment of apps/v1".
func (t TypeReference) String() string { return t.Kind + " of " + t.APIVersion }

// WriteMembers encodes apiVersion and kind, which are the first members of every object.
func (t TypeReference) WriteMembers(e *json.Encoder) {
	e.Key("apiVersion").String(t.APIVersion)
	e.Key("kind").String(t.Kind)
}

// Key is the namespace and name of an object.
type Key struct {
	// Namespace is empty for a cluster-scoped kind.
	Namespace string
	Name      string
}

// String returns "namespace/name", or only the name for a cluster-scoped object.
func (k Key) String() string {
	if k.Namespace == "" {
		return k.Name
	}
	return k.Namespace + "/" + k.Name
}

// KeyOf returns an object's key.
func KeyOf(obj Identity) Key { return Key{Namespace: obj.GetNamespace(), Name: obj.GetName()} }

// Identity identifies an object. A struct that embeds ObjectMeta has all methods except TypeRef.
type Identity interface {
	TypeRef() TypeReference
	GetNamespace() string
	GetName() string
	GetUID() string
}

// Resource is an object that the client reads and writes: *[Object], or a pointer to a plugin's type such as
//
//	type Category struct {
//		k1s.ObjectMeta
//		Spec CategorySpec
//	}
//
//	func (*Category) TypeRef() k1s.TypeReference {
//		return k1s.TypeReference{APIVersion: "inventory.example.com/v1alpha1", Kind: "Category"}
//	}
//
//	func (c *Category) UnmarshalK1s(d *json.Decoder) {
//		*c = Category{}
//		for name := range d.Members() {
//			switch name {
//			case "metadata":
//				c.ObjectMeta.UnmarshalK1s(d)
//			case "spec":
//				c.Spec.UnmarshalK1s(d)
//			}
//		}
//	}
//
//	func (c *Category) MarshalK1s(e *json.Encoder) {
//		e.BeginObject()
//		c.TypeRef().WriteMembers(e)
//		e.Key("metadata").Value(&c.ObjectMeta)
//		e.Key("spec").Value(&c.Spec)
//		e.EndObject()
//	}
//
// A type need not have all fields of its kind. If it does not, write objects with [Edit], [Apply] or [Patch], because
// [Update] removes the fields that the type does not have. The type must encode equal values as equal text, and lists
// with all of their elements in the order in which they were read.
type Resource interface {
	Identity
	json.Unmarshaler
	json.Marshaler
}
