// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Source is where a module is read from.
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

// ConfigMapSource is a key of a ConfigMap in the plugin's namespace. A ConfigMap holds at most 1 MiB: store larger
// modules compressed.
type ConfigMapSource struct {
	// name is the ConfigMap's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// key is the key in binaryData of the module, which is raw, or compressed with gzip or zstd; the operator detects
	// which. Defaults to "plugin.wasm".
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
	// The file is raw, or compressed with gzip or zstd.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(part, part == '..' || part == '.' || part == '')",message="path must be relative to the plugin directory, without empty parts, '.' or '..'"
	Path string `json:"path,omitempty"`
}
