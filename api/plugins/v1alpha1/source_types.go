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
	// has changed. 0 means never, and less than 10 means 10. Absent means 300 with the pullPolicy Always, and 0 with IfNotPresent.
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

	// verify requires a signature. Absent means that none is required, unless the operator requires one.
	// +optional
	Verify *Verification `json:"verify,omitempty"`
}

// Verification says whose signatures count.
type Verification struct {
	// cosign requires a signature of cosign. One that counts is enough.
	// +required
	Cosign *CosignVerification `json:"cosign,omitempty"`
}

// CosignVerification says whose signatures count.
//
// +kubebuilder:validation:XValidation:rule="has(self.publicKeys) || has(self.keyless)",message="publicKeys or keyless must be set"
type CosignVerification struct {
	// publicKeys are public keys in PEM, as `cosign generate-key-pair` writes them. A signature of any of them counts.
	// Absent means no keys.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	PublicKeys []PublicKey `json:"publicKeys,omitempty"`

	// keyless is an identity that has signed with a certificate in place of a key. Absent means no identity.
	// +optional
	Keyless *KeylessIdentity `json:"keyless,omitempty"`
}

// PublicKey is where a public key is.
//
// +kubebuilder:validation:XValidation:rule="[has(self.configMapKeyRef), has(self.secretKeyRef)].exists_one(set, set)",message="exactly one of configMapKeyRef and secretKeyRef must be set"
type PublicKey struct {
	// configMapKeyRef is a key of a ConfigMap in the plugin's namespace.
	// +optional
	ConfigMapKeyRef *KeyReference `json:"configMapKeyRef,omitempty"`

	// secretKeyRef is a key of a Secret in the plugin's namespace, such as the one that `cosign generate-key-pair`
	// creates. It is read with the permissions of the plugin's ServiceAccount.
	// +optional
	SecretKeyRef *KeyReference `json:"secretKeyRef,omitempty"`
}

// KeyReference is a key of a ConfigMap or a Secret.
type KeyReference struct {
	// name is the name of the ConfigMap or the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// key is the key in its data.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}

// KeylessIdentity is an identity that a CA of Sigstore has certified.
//
// +kubebuilder:validation:XValidation:rule="[has(self.subject), has(self.subjectRegExp)].exists_one(set, set)",message="exactly one of subject and subjectRegExp must be set"
type KeylessIdentity struct {
	// issuer is the issuer of the token that the signer authenticated with, such as
	// "https://token.actions.githubusercontent.com".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Issuer string `json:"issuer,omitempty"`

	// subject is the identity, such as an email address, or the URL of a workflow.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Subject string `json:"subject,omitempty"`

	// subjectRegExp is a regular expression (RE2) that the whole identity has to match.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	SubjectRegExp string `json:"subjectRegExp,omitempty"`

	// trustedRoot is a key of a ConfigMap in the plugin's namespace, with the CAs and the logs that are trusted, in
	// Sigstore's format (trusted_root.json). The operator does not download it.
	// +required
	TrustedRoot *KeyReference `json:"trustedRoot,omitempty"`
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
