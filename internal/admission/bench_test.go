// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
)

// BenchmarkServer measures the operator's part of an admission request: without TLS and HTTP, with a guest that hardly
// does anything, and an object of 1.5 KB.
func BenchmarkServer(b *testing.B) {
	runner := load(b, newEngine(b), nil, scripted(abi.ExportSetDefaults, anything, replies, `[{"op":"add","path":"/spec/category","value":"c"}]`))
	server := NewServer(ServerOptions{Authorizer: authority{allowed: true}, Exempt: NewExempt(operatorNamespace), Log: logr.Discard()})
	p := directPlugin(slot(b, runner), func(p *Plugin) { p.Exports = []string{abi.ExportSetDefaults, abi.ExportValidateCreate} })
	server.Set(p)
	target := items(nil)
	review := admissionv1.AdmissionReview{Request: &admissionv1.AdmissionRequest{
		UID: "u", Kind: metav1.GroupVersionKind(target.GVK), Resource: metav1.GroupVersionResource(target.GVR),
		Namespace: "shop", Name: "it", Operation: admissionv1.Create,
		Object: raw(`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item","metadata":{"name":"it","namespace":"shop"},"spec":{"description":"` + strings.Repeat("text ", 280) + `"}}`),
	}}
	review.SetGroupVersionKind(admissionv1.SchemeGroupVersion.WithKind("AdmissionReview"))
	body, err := json.Marshal(review)
	if err != nil {
		b.Fatal(err)
	}
	for _, hook := range []webhook{mutating, validating} {
		b.Run(string(hook), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				recorder := httptest.NewRecorder()
				server.ServeHTTP(recorder, httptest.NewRequestWithContext(b.Context(), http.MethodPost, hook.path(p.Name)+"?timeout=10s", bytes.NewReader(body)))
				if recorder.Code != http.StatusOK || !strings.Contains(recorder.Body.String(), `"allowed":true`) {
					b.Fatal(recorder.Body.String())
				}
			}
		})
	}
}
