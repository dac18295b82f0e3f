// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"slices"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// ObjectMeta is the metadata of an object, for embedding in a plugin's types. Times are text in RFC 3339. Empty fields
// are omitted. Metadata without a field here, such as managedFields, are kept by the API server when the object is
// updated.
type ObjectMeta struct {
	Name string
	// GenerateName, with an empty Name, makes the API server generate a name with this prefix.
	GenerateName      string
	Namespace         string
	UID               string
	ResourceVersion   string
	Generation        int64
	CreationTimestamp string
	DeletionTimestamp string
	Labels            map[string]string
	Annotations       map[string]string
	OwnerReferences   []OwnerReference
	Finalizers        []string
}

// GetName returns the name.
func (m *ObjectMeta) GetName() string { return m.Name }

// GetNamespace returns the namespace.
func (m *ObjectMeta) GetNamespace() string { return m.Namespace }

// GetUID returns the UID.
func (m *ObjectMeta) GetUID() string { return m.UID }

// IsBeingDeleted reports whether the object has a deletion timestamp: it is removed when it has no more finalizers.
func (m *ObjectMeta) IsBeingDeleted() bool { return m.DeletionTimestamp != "" }

// HasFinalizer reports whether the object has this finalizer.
func (m *ObjectMeta) HasFinalizer(name string) bool { return slices.Contains(m.Finalizers, name) }

// UnmarshalK1s decodes the metadata.
func (m *ObjectMeta) UnmarshalK1s(d *json.Decoder) {
	*m = ObjectMeta{}
	for name := range d.Members() {
		switch name {
		case "name":
			m.Name = d.String()
		case "generateName":
			m.GenerateName = d.String()
		case "namespace":
			m.Namespace = d.String()
		case "uid":
			m.UID = d.String()
		case "resourceVersion":
			m.ResourceVersion = d.String()
		case "generation":
			m.Generation = d.Int()
		case "creationTimestamp":
			m.CreationTimestamp = d.String()
		case "deletionTimestamp":
			m.DeletionTimestamp = d.String()
		case "labels":
			m.Labels = d.StringMap()
		case "annotations":
			m.Annotations = d.StringMap()
		case "ownerReferences":
			for range d.Elements() {
				var ref OwnerReference
				ref.UnmarshalK1s(d)
				m.OwnerReferences = append(m.OwnerReferences, ref)
			}
		case "finalizers":
			m.Finalizers = d.Strings()
		}
	}
}

// MarshalK1s encodes the metadata, without empty fields.
func (m *ObjectMeta) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	optional(e, "name", m.Name)
	optional(e, "generateName", m.GenerateName)
	optional(e, "namespace", m.Namespace)
	optional(e, "uid", m.UID)
	optional(e, "resourceVersion", m.ResourceVersion)
	if m.Generation != 0 {
		e.Key("generation").Int(m.Generation)
	}
	optional(e, "creationTimestamp", m.CreationTimestamp)
	optional(e, "deletionTimestamp", m.DeletionTimestamp)
	if len(m.Labels) > 0 {
		e.Key("labels").StringMap(m.Labels)
	}
	if len(m.Annotations) > 0 {
		e.Key("annotations").StringMap(m.Annotations)
	}
	if len(m.OwnerReferences) > 0 {
		e.Key("ownerReferences").BeginArray()
		for i := range m.OwnerReferences {
			e.Value(&m.OwnerReferences[i])
		}
		e.EndArray()
	}
	if len(m.Finalizers) > 0 {
		e.Key("finalizers").Strings(m.Finalizers)
	}
	e.EndObject()
}
