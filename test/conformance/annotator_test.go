// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

var category = schema.GroupVersionKind{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Category"}

func key(namespace, name string) abi.ObjectKey {
	return abi.ObjectKey{APIVersion: "inventory.example.com/v1alpha1", Kind: "Category", Namespace: namespace, Name: name}
}

// marks returns the annotator's requests for one object.
func marks(k abi.ObjectKey) []any {
	return []any{
		abi.PatchRequest{
			ObjectKey: k, PatchType: abi.PatchMerge,
			Patch: json.RawMessage(`{"metadata":{"annotations":{"conformance.k1s.io/seen":"yes"}}}`),
		},
		abi.EventRequest{ObjectKey: k, Type: "Normal", Reason: "Annotated", Message: "Marked as seen", Action: "Annotate"},
	}
}

func TestAnnotator_metadata(t *testing.T) {
	t.Parallel()
	got, _ := run(t, "annotator", &recorder{})
	want := plugin.Metadata{
		Name: "annotator", Version: "1.0.0", Language: "wat", ABI: 1, MinMemoryPages: 2,
		ForTypes: []schema.GroupVersionKind{category}, Capabilities: []plugin.Capability{plugin.CapabilityReconcile},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAnnotator_reconcile(t *testing.T) {
	t.Parallel()
	host := &recorder{}
	_, runner := run(t, "annotator", host)
	object := `{"apiVersion":"inventory.example.com/v1alpha1","kind":"Category",` +
		`"metadata":{"name":"another","namespace":"elsewhere","annotations":{"a":"\\\"}]"}},"spec":{"list":[1,{"name":"x"},null,true]}}`
	tests := []struct {
		name string
		key  abi.ObjectKey
		size int // of the object
	}{
		{name: "an object", key: key("shop", "tools")},
		{name: "names that JSON escapes", key: key("shop", `a"b\c<d>é`)},
		{name: "an object of more than the guest's first memory", key: key("shop", "large"), size: 1 << 20},
	}
	for _, tt := range tests {
		padded := `{"padding":"` + strings.Repeat("x", tt.size) + `","object":` + object + `}`
		result, err := plugin.Reconcile(t.Context(), runner, abi.ReconcileRequest{ObjectKey: tt.key, Object: json.RawMessage(padded), Attempt: 1})
		if err != nil || result != (abi.ReconcileResult{}) {
			t.Errorf("%s: got %+v, %v", tt.name, result, err)
		}
		if diff := cmp.Diff(marks(tt.key), host.take()); diff != "" {
			t.Errorf("%s: requests (-want +got)\n%s", tt.name, diff)
		}
	}
	if host.log.Count(`annotating \"tools\"`) == 0 {
		t.Errorf("nothing is logged: %q", host.log.Lines())
	}
}

// The specification guarantees neither an order of members nor the white space.
func TestAnnotator_anyJSON(t *testing.T) {
	t.Parallel()
	host := &recorder{}
	_, runner := run(t, "annotator", host)
	input := " {\n\t\"attempt\" : 1 , \"new\": [ { \"name\": \"no\" } ], \"object\" : { \"namespace\" : \"no\" } ,\r\n \"name\":\"tools\" , \"namespace\"\n:\n\"shop\"\n}\n"
	reply, err := runner.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile, Input: []byte(input)})
	if err != nil || len(reply) > 0 {
		t.Errorf("got %q, %v", reply, err)
	}
	if diff := cmp.Diff(marks(key("shop", "tools")), host.take()); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}
}

func TestAnnotator_deleted(t *testing.T) {
	t.Parallel()
	host := &recorder{}
	_, runner := run(t, "annotator", host)
	result, err := plugin.Reconcile(t.Context(), runner, abi.ReconcileRequest{ObjectKey: key("shop", "tools"), Attempt: 1})
	if err != nil || result != (abi.ReconcileResult{}) {
		t.Errorf("got %+v, %v", result, err)
	}
	if got := host.take(); got != nil {
		t.Errorf("the guest asked for %+v", got)
	}
}

// An error of the host is passed on unchanged, and the guest emits no Event about a write that failed.
func TestAnnotator_patchFails(t *testing.T) {
	t.Parallel()
	host := &recorder{patchErr: apierrors.NewConflict(schema.GroupResource{Group: category.Group, Resource: "categories"}, "tools", errors.New("conflict"))}
	_, runner := run(t, "annotator", host)
	_, err := plugin.Reconcile(t.Context(), runner, abi.ReconcileRequest{ObjectKey: key("shop", "tools"), Object: json.RawMessage("{}"), Attempt: 1})
	var call *plugin.CallError
	if !errors.As(err, &call) || call.Kind != plugin.KindGuest {
		t.Fatalf("got %v, want the guest's error", err)
	}
	want := host.patchErr.(apierrors.APIStatus).Status()
	if got := call.Status; got.Reason != want.Reason || got.Message != want.Message || got.Code != want.Code {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff(marks(key("shop", "tools"))[:1], host.take()); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}
}

// The guest reuses its buffers. Otherwise it would run out of memory.
func TestAnnotator_manyCalls(t *testing.T) {
	t.Parallel()
	host := &recorder{}
	_, runner := run(t, "annotator", host)
	req := abi.ReconcileRequest{ObjectKey: key("shop", "tools"), Object: json.RawMessage(`"` + strings.Repeat("x", 50_000) + `"`), Attempt: 1}
	for range 1000 {
		if _, err := plugin.Reconcile(t.Context(), runner, req); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(host.take()); got != 2000 {
		t.Errorf("%d requests, want 2000", got)
	}
}
