// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Create creates objects.
func (e *Env) Create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, o := range objects {
		if err := e.Client.Create(t.Context(), o); err != nil {
			t.Fatalf("create %T %s: %v", o, client.ObjectKeyFromObject(o), err)
		}
	}
}

// Get reads the object with a key into o.
func (e *Env) Get(t *testing.T, key client.ObjectKey, o client.Object) {
	t.Helper()
	if err := e.Client.Get(t.Context(), key, o); err != nil {
		t.Fatalf("get %T %s: %v", o, key, err)
	}
}

// List reads objects into a list.
func (e *Env) List(t *testing.T, list client.ObjectList, options ...client.ListOption) {
	t.Helper()
	if err := e.Client.List(t.Context(), list, options...); err != nil {
		t.Fatalf("list %T: %v", list, err)
	}
}

// Update updates an object.
func (e *Env) Update(t *testing.T, o client.Object) {
	t.Helper()
	if err := e.Client.Update(t.Context(), o); err != nil {
		t.Fatalf("update %T %s: %v", o, client.ObjectKeyFromObject(o), err)
	}
}

// Delete deletes objects.
func (e *Env) Delete(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, o := range objects {
		if err := e.Client.Delete(t.Context(), o); err != nil {
			t.Fatalf("delete %T %s: %v", o, client.ObjectKeyFromObject(o), err)
		}
	}
}

// Definition returns a CustomResourceDefinition of a namespaced kind. It serves all of the given versions, and stores
// the first one.
func Definition(group, plural, kind string, versions ...string) *apiextensionsv1.CustomResourceDefinition {
	crd := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: plural + "." + group},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Singular: strings.ToLower(kind), Kind: kind, ListKind: kind + "List"},
		},
	}
	for i, version := range versions {
		crd.Spec.Versions = append(crd.Spec.Versions, apiextensionsv1.CustomResourceDefinitionVersion{
			Name: version, Served: true, Storage: i == 0,
			Schema: &apiextensionsv1.CustomResourceValidation{
				OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: new(true)},
			},
		})
	}
	return crd
}
