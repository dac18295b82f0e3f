// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// If the request has no name, the name of the object is used: in the input of the guest, and in messages.
func TestServer_names(t *testing.T) {
	w := newTestCluster(t)
	w.grant(t, w.shop, VerbValidate)
	for _, name := range []string{"hammer", "saw"} {
		w.Create(t, newItem(w.shop, name))
	}
	key := func(name string) string { return fmt.Sprintf(`"namespace":%q,"name":%q`, w.shop, name) }
	s := w.configure(t, w.plugin(nil), scripted(abi.ExportValidateDelete, key("hammer"), respondsError, `{"message":"hammers stay"}`))
	all := client.InNamespace(w.shop)
	denied(t, w.Client.DeleteAllOf(t.Context(), &inventoryv1alpha1.Item{}, all), 403, metav1.StatusReasonForbidden, "hammers stay")

	s.Swap(load(t, w.engine, nil, scripted(abi.ExportValidateDelete, key("hammer"), traps, "")))
	if err := w.Client.DeleteAllOf(t.Context(), &inventoryv1alpha1.Item{}, all); err == nil {
		t.Error("a plugin that crashes lets a deletion through")
	}
	w.mu.Lock()
	if want := "Item " + w.shop + "/hammer"; len(w.failures) == 0 || w.failures[0].Key != want {
		t.Errorf("reported: %+v, want %s", w.failures, want)
	}
	w.mu.Unlock()

	s.Swap(load(t, w.engine, nil, scripted(abi.ExportValidateCreate, fmt.Sprintf(`"namespace":%q,"name":"made-`, w.shop), respondsError, `{"message":"it has a name"}`)))
	generated := newItem(w.shop, "")
	generated.GenerateName, generated.Spec.Name = "made-", "made"
	denied(t, w.Client.Create(t.Context(), generated), 403, metav1.StatusReasonForbidden, "it has a name")
}

// A Namespace that is exempt is also exempt when a collection is deleted.
func TestServer_names_exempt(t *testing.T) {
	d := newDirect(t, authority{allowed: true})
	d.Set(directPlugin(slot(t, load(t, newEngine(t), nil, scripted(abi.ExportValidateDelete, anything, traps, ""))), func(p *Plugin) {
		p.Targets = []Target{{
			GVK: corev1.SchemeGroupVersion.WithKind("Namespace"), GVR: corev1.SchemeGroupVersion.WithResource("namespaces"),
			Validate: plugin.Namespaces{plugin.AllNamespaces},
		}}
	}))
	for name, asked := range map[string]bool{metav1.NamespaceSystem: false, operatorNamespace: false, "shop": true} {
		response, _ := d.review(t, validating, func(r *admissionv1.AdmissionRequest) {
			r.Kind, r.Resource = metav1.GroupVersionKind{Version: "v1", Kind: "Namespace"}, metav1.GroupVersionResource{Version: "v1", Resource: "namespaces"}
			r.Operation, r.Namespace, r.Name = admissionv1.Delete, "", ""
			r.Object, r.OldObject = raw("null"), raw(fmt.Sprintf(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":%q}}`, name))
		})
		if response == nil || response.Allowed == asked {
			t.Errorf("namespace %q: %+v; asked: %t", name, response, asked)
		}
	}
}

// A guest does not receive marks, because it could leak them.
func TestServer_marksAreNotShown(t *testing.T) {
	d := newDirect(t, authority{allowed: true})
	d.Set(directPlugin(slot(t, load(t, newEngine(t), nil,
		scripted(abi.ExportAdmit, "own-write", respondsError, `{"message":"there is a mark"}`),
		scripted(abi.ExportAdmit, `"extra":{"scopes":["a"]}`, replies, `{"warnings":["the rest is there"]}`),
	))))
	user := userInfo("system:serviceaccount:home:another", d.sign(t, "home/another")...)
	response, _ := d.review(t, validating, func(r *admissionv1.AdmissionRequest) { r.UserInfo = user })
	if !response.Allowed {
		t.Errorf("%+v", response)
	}
	user.Extra["scopes"] = []string{"a"}
	response, _ = d.review(t, validating, func(r *admissionv1.AdmissionRequest) { r.UserInfo = user })
	if !response.Allowed || len(response.Warnings) != 1 {
		t.Errorf("%+v", response)
	}
}
