// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Source is where a module is read from.
//
// +kubebuilder:validation:XValidation:rule="[has(self.configMap), has(self.oci), has(self.file)].exists_one(set, set)",message="exactly one of configMap, oci and file must be set"
type Source struct {
	// configMap is a key of a ConfigMap in the plugin's namespace.
	// +optional
	ConfigMap *ConfigMapSource `json:"configMap,omitempty"`

	// oci is an artifact in an OCI registry.
	// +optional
	OCI *OCISource `json:"oci,omitempty"`

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

// PullPolicy is when a tag is resolved to a digest.
// +kubebuilder:validation:Enum=Always;IfNotPresent
type PullPolicy string

const (
	// PullAlways resolves the tag when the operator starts, and again after each pollIntervalSeconds.
	PullAlways PullPolicy = "Always"
	// PullIfNotPresent resolves the tag only if the operator's cache does not have what the plugin's namespace pulled by
	// it before.
	PullIfNotPresent PullPolicy = "IfNotPresent"
)

// OCISource is an artifact in an OCI registry. It holds one WebAssembly module, in any of the usual formats, which the
// operator detects.
type OCISource struct {
	// reference names the registry, the repository and a tag, a digest, or both, such as
	// "registry.example/plugins/item-validator:v1.2.0". With both, the tag must have that digest. With neither, the tag
	// is "latest".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Reference string `json:"reference,omitempty"`

	// pullPolicy is when the tag is resolved. Absent means Always for the tag "latest", and IfNotPresent for others. A
	// digest is pulled once.
	// +optional
	PullPolicy PullPolicy `json:"pullPolicy,omitempty"`

	// pollIntervalSeconds is how often the tag is resolved again, in seconds. The artifact is pulled only if the digest
	// has changed. 0 means never. Absent means 300 with the pullPolicy Always, and 0 with IfNotPresent.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=86400
	PollIntervalSeconds *int32 `json:"pollIntervalSeconds,omitempty"`

	// pullSecrets are Secrets with credentials for registries, of the types kubernetes.io/dockerconfigjson and
	// kubernetes.io/dockercfg. They are read with the permissions of the plugin's ServiceAccount. The imagePullSecrets
	// of the ServiceAccount are used too. Absent means only those.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	PullSecrets []PullSecret `json:"pullSecrets,omitempty"`

	// insecure makes the operator use plain HTTP. Defaults to false.
	// +optional
	Insecure bool `json:"insecure,omitempty"`

	// caBundle is a key of a ConfigMap with CA certificates in PEM, which are trusted for this registry in addition to
	// those of the operator. Absent means only those of the operator.
	// +optional
	CABundle *CABundle `json:"caBundle,omitempty"`
}

// PullSecret is a Secret in the plugin's namespace.
type PullSecret struct {
	// name is the Secret's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`
}

// CABundle is a key of a ConfigMap in the plugin's namespace.
type CABundle struct {
	// name is the ConfigMap's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// key is the key in data. Defaults to "ca.crt".
	// +optional
	// +kubebuilder:default=ca.crt
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}
