// SPDX-License-Identifier: Apache-2.0

package item

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k1s-io/k1s/internal/testenv"
)

// TestItem_samples applies the samples that users start from; an unknown field is an error.
func TestItem_samples(t *testing.T) {
	env := testenv.Shared(t)
	namespace := env.Namespace(t)
	startController(t, env)
	for _, name := range []string{"inventory_v1alpha1_category.yaml", "inventory_v1alpha1_item.yaml"} {
		for _, object := range readSample(t, name) {
			object.SetNamespace(namespace)
			if err := env.Client.Create(t.Context(), object, client.FieldValidation("Strict")); err != nil {
				t.Errorf("%s: create %q: %v", name, object.GetName(), err)
			}
		}
	}
	eventually(t, env, namespace, "laptop-14", wanted{"Available", "CategoryFound", metav1.ConditionTrue, "Reconciled"})
	eventually(t, env, namespace, "laptop-16", wanted{"OutOfStock", "CategoryFound", metav1.ConditionTrue, "Reconciled"})
	eventually(t, env, namespace, "headphones", wanted{"Reserved", "CategoryFound", metav1.ConditionTrue, "Reconciled"})
	eventually(t, env, namespace, "cassette-recorder", wanted{"Discontinued", "CategoryFound", metav1.ConditionTrue, "Reconciled"})
	eventually(t, env, namespace, "gift-card", wanted{"Available", "NoCategory", metav1.ConditionTrue, "Reconciled"})
}

// readSample reads the objects of a file in config/samples.
func readSample(t *testing.T, name string) []*unstructured.Unstructured {
	t.Helper()
	file, err := os.Open(filepath.Join(testenv.Root(), "config", "samples", name))
	if err != nil {
		t.Fatalf("open the sample: %v", err)
	}
	defer file.Close()
	var objects []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(file, 4096); ; {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatalf("read %s: %v", name, err)
		}
		objects = append(objects, object)
	}
}
