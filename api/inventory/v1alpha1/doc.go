// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the inventory API: Items and the Categories that group them.
//
// +kubebuilder:object:generate=true
// +groupName=inventory.example.com
package v1alpha1
