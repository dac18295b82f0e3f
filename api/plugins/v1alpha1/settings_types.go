// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// SettingSource is a setting whose value is kept elsewhere.
type SettingSource struct {
	// as is the member of the settings that gets the value, a string. spec.settings must not have it too.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	As string `json:"as,omitempty"`

	// secretRef is a key of a Secret in the plugin's namespace. It is read as the plugin's ServiceAccount,
	// which needs the verb get on that Secret.
	// +required
	SecretRef SecretKeyReference `json:"secretRef,omitzero"`
}

// SecretKeyReference is a key of a Secret in the plugin's namespace. Its value must be UTF-8 text of at most
// 32 KiB. A value that changes while the plugin serves is noticed within a minute, and makes a new revision.
type SecretKeyReference struct {
	// name is the Secret's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// key is the key in the Secret's data that holds the value.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}
