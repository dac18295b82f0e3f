// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// SettingSource is a member of the settings whose value comes from another object.
type SettingSource struct {
	// as is the name of the member, whose value is a string. spec.settings must not have this member.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	As string `json:"as,omitempty"`

	// secretRef is a key of a Secret in the plugin's namespace. The operator reads it as the plugin's ServiceAccount,
	// which needs the verb get on this Secret.
	// +required
	SecretRef SecretKeyReference `json:"secretRef,omitzero"`
}

// SecretKeyReference is a key of a Secret in the plugin's namespace. Its value must be UTF-8 text of at most
// 32 KiB. When the value changes, the operator loads a new revision within a minute.
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
