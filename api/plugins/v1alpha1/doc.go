// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the WasmPlugin API: a controller that is delivered as a WebAssembly module.
//
// +kubebuilder:object:generate=true
// +groupName=plugins.k1s.io
package v1alpha1
