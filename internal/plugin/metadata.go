// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
)

// Capability is a capability that a module declares.
type Capability = pluginsv1alpha1.Capability

// The capabilities that this operator supports.
const (
	CapabilityReconcile    = pluginsv1alpha1.CapabilityReconcile
	CapabilityValidation   = pluginsv1alpha1.CapabilityValidation
	CapabilityDefaulting   = pluginsv1alpha1.CapabilityDefaulting
	CapabilityStatusUpdate = pluginsv1alpha1.CapabilityStatusUpdate
	CapabilityFinalization = pluginsv1alpha1.CapabilityFinalization
	CapabilityAdmission    = pluginsv1alpha1.CapabilityAdmission
)

// Supported returns the capabilities that this operator supports, sorted.
func Supported() []Capability {
	return []Capability{
		CapabilityAdmission, CapabilityDefaulting, CapabilityFinalization, CapabilityReconcile, CapabilityStatusUpdate, CapabilityValidation,
	}
}

// OfTypes reports whether a capability applies to objects of the kinds in forTypes.
func OfTypes(c Capability) bool { return c != CapabilityStatusUpdate }

// Exports returns the exports of a capability. A module with the capability has at least one of them.
func Exports(c Capability) []string {
	switch c {
	case CapabilityReconcile:
		return []string{abi.ExportReconcile}
	case CapabilityFinalization:
		return []string{abi.ExportFinalize}
	case CapabilityValidation:
		return []string{abi.ExportValidateCreate, abi.ExportValidateUpdate, abi.ExportValidateDelete}
	case CapabilityDefaulting:
		return []string{abi.ExportSetDefaults}
	case CapabilityAdmission:
		return []string{abi.ExportAdmit}
	default:
		return nil
	}
}

// maxWord is the maximum size, in bytes, of the metadata fields that every status shows.
const maxWord = 128

// Metadata is what a module declares about itself.
type Metadata struct {
	Name, Version, Author, Description, Language string

	// ForTypes are the kinds that the module handles.
	ForTypes []schema.GroupVersionKind
	// Capabilities are the capabilities that the module declares.
	Capabilities []Capability
	// ABI is the version of the guest ABI.
	ABI int32
	// MinMemoryPages is the memory that the module needs, in pages of 64 KiB. It is 0 if the module does not declare
	// it.
	MinMemoryPages uint32
	// Deterministic means that equal input of the validating and defaulting exports gives equal replies.
	Deterministic bool
	// Operations are the operations of the admission requests for which the module is called. Nil means all.
	Operations []string
	// NoSnapshot means that every instance must run its own initialization.
	NoSnapshot bool
	// MaxBatch is the maximum number of requests in one call of reconcile_batch. Below 2 there are no such calls.
	MaxBatch int
	// ConfigSchema is the JSON Schema of the settings; nil if there is none.
	ConfigSchema json.RawMessage
}

// ParseMetadata parses PluginMetadata. Its errors name the invalid member.
func ParseMetadata(payload []byte) (Metadata, error) {
	if len(payload) == 0 {
		return Metadata{}, fmt.Errorf("metadata is empty: k1s_metadata must reply with PluginMetadata JSON")
	}
	if len(payload) > abi.MaxMetadata {
		return Metadata{}, fmt.Errorf("metadata has %d bytes, more than the %d allowed", len(payload), abi.MaxMetadata)
	}
	var wire abi.Metadata
	if err := abi.Decode(payload, &wire); err != nil {
		return Metadata{}, err
	}
	m := Metadata{
		Name: wire.Name, Version: wire.Version, Author: wire.Author,
		Description: wire.Description, Language: wire.Language,
		ABI: wire.Runtime.ABI, MinMemoryPages: wire.Runtime.MinMemoryPages,
		NoSnapshot:    wire.Runtime.Snapshot != nil && !*wire.Runtime.Snapshot,
		Deterministic: wire.Runtime.Deterministic, MaxBatch: int(wire.Runtime.MaxBatch),
	}
	if string(wire.ConfigSchema) != "null" {
		m.ConfigSchema = wire.ConfigSchema
	}
	for _, word := range [][2]string{{"name", m.Name}, {"version", m.Version}, {"language", m.Language}} {
		if len(word[1]) > maxWord {
			return Metadata{}, fmt.Errorf("metadata %q has %d bytes, more than the %d allowed", word[0], len(word[1]), maxWord)
		}
	}
	switch {
	case m.Name == "":
		return Metadata{}, fmt.Errorf(`metadata has no "name"`)
	case m.Version == "":
		return Metadata{}, fmt.Errorf(`metadata has no "version"`)
	case len(wire.Capabilities) == 0:
		return Metadata{}, fmt.Errorf(`metadata has no "capabilities"`)
	}
	if m.MaxBatch < 0 || m.MaxBatch > abi.MaxBatch {
		return Metadata{}, fmt.Errorf("metadata runtime.maxBatch is %d, want 0 to %d", m.MaxBatch, abi.MaxBatch)
	}
	if m.ABI == 0 {
		m.ABI = abi.Version
	}
	for i, ref := range wire.ForTypes {
		gvk, err := ParseType(ref.APIVersion, ref.Kind)
		if err != nil {
			return Metadata{}, fmt.Errorf("metadata forTypes[%d]: %w", i, err)
		}
		if !slices.Contains(m.ForTypes, gvk) {
			m.ForTypes = append(m.ForTypes, gvk)
		}
	}
	known := Supported()
	for i, name := range wire.Capabilities {
		c := Capability(name)
		if !slices.Contains(known, c) {
			return Metadata{}, fmt.Errorf("metadata capabilities[%d]: unknown capability %q, known are %q", i, name, known)
		}
		if !slices.Contains(m.Capabilities, c) {
			m.Capabilities = append(m.Capabilities, c)
		}
	}
	if wire.Admission != nil {
		if err := m.parseOperations(wire.Admission.Operations); err != nil {
			return Metadata{}, err
		}
	}
	for _, c := range m.Capabilities {
		if OfTypes(c) && len(m.ForTypes) == 0 {
			return Metadata{}, fmt.Errorf(`metadata declares the capability %q but no "forTypes"`, c)
		}
	}
	return m, nil
}

// ParseType parses an apiVersion and a kind.
func ParseType(apiVersion, kind string) (schema.GroupVersionKind, error) {
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil || gv.Version == "" {
		return schema.GroupVersionKind{}, fmt.Errorf("apiVersion %q is not of the form group/version", apiVersion)
	}
	if kind == "" {
		return schema.GroupVersionKind{}, fmt.Errorf("kind is empty")
	}
	return gv.WithKind(kind), nil
}
