// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Source says where a module's bytes come from.
//
// +kubebuilder:validation:XValidation:rule="[has(self.configMap), has(self.file)].exists_one(set, set)",message="exactly one of configMap and file must be set"
type Source struct {
	// configMap is a key of a ConfigMap in the plugin's namespace.
	// +optional
	ConfigMap *ConfigMapSource `json:"configMap,omitempty"`

	// file is a file below the operator's plugin directory.
	// +optional
	File *FileSource `json:"file,omitempty"`
}

// ConfigMapSource is a key of a ConfigMap in the plugin's namespace. A ConfigMap holds at most 1 MiB,
// so larger modules are stored compressed.
type ConfigMapSource struct {
	// name is the ConfigMap's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// key is the key in binaryData that holds the module: raw, gzip or zstd, told by its first bytes.
	// Defaults to "plugin.wasm".
	// +optional
	// +kubebuilder:default=plugin.wasm
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}

// FileSource is a file below the operator's plugin directory.
type FileSource struct {
	// path is relative to the plugin directory, with "/" between its parts and without "..".
	// The file may be raw, gzip or zstd.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(part, part == '..' || part == '.' || part == '')",message="path must be relative to the plugin directory, without empty parts, '.' or '..'"
	Path string `json:"path,omitempty"`
}
