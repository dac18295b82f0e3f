// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/testenv/table"
)

func TestParseMetadata(t *testing.T) {
	t.Parallel()
	item := schema.GroupVersionKind{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Item"}
	tests := []struct {
		name, reason, in string
		want             Metadata
	}{
		{
			name: "everything", reason: "each member has its place",
			in: `{"name":"tags","version":"1.2.0","author":"a","description":"b","language":"go",
				"forTypes":[{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item"},{"apiVersion":"v1","kind":"ConfigMap"}],
				"capabilities":["reconcile","status_update","validation"],
				"runtime":{"abi":1,"minMemoryPages":64},"configSchema":{"type":"object"}}`,
			want: Metadata{
				Name: "tags", Version: "1.2.0", Author: "a", Description: "b", Language: "go",
				ForTypes:     []schema.GroupVersionKind{item, {Version: "v1", Kind: "ConfigMap"}},
				Capabilities: []Capability{CapabilityReconcile, CapabilityStatusUpdate, "validation"},
				ABI:          1, MinMemoryPages: 64, ConfigSchema: []byte(`{"type":"object"}`),
			},
		},
		{
			name: "the least", reason: "the ABI's version has a default",
			in:   `{"name":"a","version":"1","capabilities":["status_update"]}`,
			want: Metadata{Name: "a", Version: "1", Capabilities: []Capability{CapabilityStatusUpdate}, ABI: 1},
		},
		{
			name: "twice the same", reason: "it is one watch and one capability",
			in: `{"name":"a","version":"1","capabilities":["reconcile","reconcile"],"forTypes":[
				{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item"},{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item"}]}`,
			want: Metadata{Name: "a", Version: "1", Capabilities: []Capability{CapabilityReconcile}, ForTypes: []schema.GroupVersionKind{item}, ABI: 1},
		},
		{
			name: "operations", reason: "they are a set",
			in: `{"name":"a","version":"1","capabilities":["defaulting"],"forTypes":[{"apiVersion":"v1","kind":"ConfigMap"}],
				"admission":{"operations":["UPDATE","CREATE","UPDATE"]}}`,
			want: Metadata{
				Name: "a", Version: "1", Capabilities: []Capability{CapabilityDefaulting}, ForTypes: []schema.GroupVersionKind{{Version: "v1", Kind: "ConfigMap"}},
				Operations: []string{abi.OperationUpdate, abi.OperationCreate}, ABI: 1,
			},
		},
		{
			name: "no operations", reason: "they are not said, so all are meant",
			in:   `{"name":"a","version":"1","capabilities":["status_update"],"admission":{}}`,
			want: Metadata{Name: "a", Version: "1", Capabilities: []Capability{CapabilityStatusUpdate}, ABI: 1},
		},
		{
			name: "null", reason: "an SDK writes it for what is not set",
			in:   `{"name":"a","version":"1","capabilities":["status_update"],"configSchema":null,"forTypes":null,"runtime":null,"admission":null}`,
			want: Metadata{Name: "a", Version: "1", Capabilities: []Capability{CapabilityStatusUpdate}, ABI: 1},
		},
		{
			name: "another ABI", reason: "whether it is served is the engine's to say",
			in:   `{"name":"a","version":"1","capabilities":["status_update"],"runtime":{"abi":7}}`,
			want: Metadata{Name: "a", Version: "1", Capabilities: []Capability{CapabilityStatusUpdate}, ABI: 7},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseMetadata([]byte(tt.in))
			if err != nil {
				t.Fatalf("%s: %v", tt.reason, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tt.reason, diff)
			}
		})
	}
}

type metadataCase struct {
	Name, Want string
	Metadata   table.JSON
}

func TestParseMetadata_invalid(t *testing.T) {
	t.Parallel()
	tests := append(table.Read[metadataCase](t, "invalid_metadata.yaml"), []metadataCase{
		{"too large", "262145 bytes, more than the 262144 allowed", table.JSON(strings.Repeat(" ", abi.MaxMetadata+1))},
		{"long name", `"name" has 129 bytes, more than the 128 allowed`, table.JSON(`{"name":"` + strings.Repeat("a", 129) + `","version":"1","capabilities":["reconcile"]}`)},
		{"long version", `"version" has 129 bytes`, table.JSON(`{"name":"a","version":"` + strings.Repeat("1", 129) + `","capabilities":["reconcile"]}`)},
	}...)
	for _, tt := range tests {
		t.Run(tt.Name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseMetadata([]byte(tt.Metadata))
			if err == nil || !strings.Contains(err.Error(), tt.Want) {
				t.Errorf("got %+v and %v, want %q", got, err, tt.Want)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // SHA-256 of the empty input
	m := NewModule(nil)
	if m.Digest != empty || m.Digest.String() != "sha256:"+empty || m.Digest.Short() != empty[:12] {
		t.Errorf("got %q, %q, %q", m.Digest, m.Digest, m.Digest.Short())
	}
	if d := Digest(""); d.String() != "" || d.Short() != "" {
		t.Errorf("no digest: got %q, %q", d.String(), d.Short())
	}
}
