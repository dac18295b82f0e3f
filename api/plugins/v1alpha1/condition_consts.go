// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types of a WasmPlugin, in the order of the phases that set them.
const (
	// ConditionReady is true while the revision of the current spec serves, and its calls succeed.
	ConditionReady = "Ready"
	// ConditionFetched reports whether the module was read from the source.
	ConditionFetched = "Fetched"
	// ConditionSignatureVerified reports whether the artifact that the module was read from has a signature that the
	// spec accepts. A plugin whose spec does not ask for signatures does not have this condition.
	ConditionSignatureVerified = "SignatureVerified"
	// ConditionVerified reports whether the module is a plugin that matches the spec.
	ConditionVerified = "Verified"
	// ConditionSettingsValid reports whether the settings, including those from Secrets, exist and match the schema in
	// the module's metadata.
	ConditionSettingsValid = "SettingsValid"
	// ConditionAuthorized reports whether the ServiceAccount has the permissions that the plugin's capabilities need:
	// the verbs list and watch, and for admission requests validate and mutate, on the plugin's kinds.
	ConditionAuthorized = "Authorized"
	// ConditionCompiled reports whether the module was compiled and initialized, and passed its health check.
	ConditionCompiled = "Compiled"
	// ConditionServing reports whether a revision, the current or the previous one, receives events and admission
	// requests.
	ConditionServing = "Serving"
	// ConditionDegraded is true while the previous revision serves in place of the current one, or the calls of the
	// current one fail.
	ConditionDegraded = "Degraded"
	// ConditionCleanedUp reports whether the plugin's finalizer was removed from all objects that the plugin no longer
	// finalizes. A plugin that never had the capability finalization does not have this condition.
	ConditionCleanedUp = "CleanedUp"
	// ConditionStalled is true while the plugin cannot become Ready until its spec or its module changes. It only exists
	// while it is true, as kstatus defines it.
	ConditionStalled = "Stalled"
	// ConditionReconciling is true while the operator retries, or waits for something else than a change of the spec. It
	// only exists while it is true, as kstatus defines it.
	ConditionReconciling = "Reconciling"
)

// Reasons shared by all conditions.
const (
	// ReasonSucceeded is the reason of a true condition.
	ReasonSucceeded = "Succeeded"
	// ReasonPending means that an earlier phase has not succeeded.
	ReasonPending = "Pending"
	// ReasonSuspended means that spec.suspend is true.
	ReasonSuspended = "Suspended"
	// ReasonTerminating means that the WasmPlugin is being deleted.
	ReasonTerminating = "Terminating"
)

// Reasons of a false CleanedUp condition, besides Terminating.
const (
	// ReasonSweepFailed means that the plugin's finalizer could not be removed from some objects; the operator retries.
	ReasonSweepFailed = "SweepFailed"
)

// Reasons of a false Fetched condition.
const (
	// ReasonConfigMapNotFound means that the ConfigMap does not exist.
	ReasonConfigMapNotFound = "ConfigMapNotFound"
	// ReasonConfigMapKeyNotFound means that the ConfigMap does not have the key in binaryData.
	ReasonConfigMapKeyNotFound = "ConfigMapKeyNotFound"
	// ReasonFileNotFound means that the file does not exist below the plugin directory.
	ReasonFileNotFound = "FileNotFound"
	// ReasonInvalidCompression means that a gzip or zstd stream could not be read to its end.
	ReasonInvalidCompression = "InvalidCompression"
	// ReasonModuleTooLarge means that the uncompressed module exceeds the operator's limit.
	ReasonModuleTooLarge = "ModuleTooLarge"
	// ReasonSourceUnavailable means that the source could not be read; the operator retries.
	ReasonSourceUnavailable = "SourceUnavailable"
	// ReasonInvalidPluginFile means that a file in the plugin directory is not a valid plugin.
	ReasonInvalidPluginFile = "InvalidPluginFile"
	// ReasonDuplicateName means that two files in the plugin directory define plugins of the same name.
	ReasonDuplicateName = "DuplicateName"
)

// Reasons of a false Fetched condition of a plugin from an OCI artifact, besides NotWasm, ModuleTooLarge and
// InvalidCompression.
const (
	// ReasonInvalidManifest means that a manifest or index of the artifact is malformed, of a type that the operator does
	// not support, or refers to more manifests or layers than the operator accepts.
	ReasonInvalidManifest = "InvalidManifest"
	// ReasonInvalidArchive means that a tar archive in the artifact is malformed or ambiguous, or has more files than the
	// operator accepts.
	ReasonInvalidArchive = "InvalidArchive"
	// ReasonNoModule means that no layer of the artifact holds a WebAssembly module.
	ReasonNoModule = "NoModule"
	// ReasonSeveralModules means that the artifact holds more than one WebAssembly module.
	ReasonSeveralModules = "SeveralModules"
)

// Reasons of a false Fetched condition with spec.source.oci.
const (
	// ReasonPulling means that the artifact is being pulled for the first time.
	ReasonPulling = "Pulling"
	// ReasonInvalidReference means that spec.source.oci.reference cannot be parsed.
	ReasonInvalidReference = "InvalidReference"
	// ReasonRegistryNotAllowed means that the operator does not pull from the registry.
	ReasonRegistryNotAllowed = "RegistryNotAllowed"
	// ReasonPullSecretNotFound means that a Secret of spec.source.oci.pullSecrets does not exist.
	ReasonPullSecretNotFound = "PullSecretNotFound"
	// ReasonPullSecretForbidden means that the ServiceAccount lacks the verb get on a pull secret.
	ReasonPullSecretForbidden = "PullSecretForbidden"
	// ReasonPullSecretInvalid means that a pull secret has another type, or that its credentials cannot be parsed.
	ReasonPullSecretInvalid = "PullSecretInvalid"
	// ReasonCABundleInvalid means that spec.source.oci.caBundle has no certificate in PEM.
	ReasonCABundleInvalid = "CABundleInvalid"
	// ReasonUnauthorized means that the registry does not let the plugin's credentials pull.
	ReasonUnauthorized = "Unauthorized"
	// ReasonArtifactNotFound means that the registry does not have the repository, the tag or the digest.
	ReasonArtifactNotFound = "ArtifactNotFound"
	// ReasonRegistryUnavailable means that the registry could not be reached, or failed; the operator retries.
	ReasonRegistryUnavailable = "RegistryUnavailable"
	// ReasonArtifactCorrupt means that the registry sent something else than the digest or the size describes.
	ReasonArtifactCorrupt = "ArtifactCorrupt"
)

// Reasons of a false SignatureVerified condition, besides SourceUnavailable. If an artifact has several signatures, the
// reason is that of the signature which passed the most checks; they are listed in the order of the checks.
const (
	// ReasonVerificationKeyInvalid means that a key that the spec names is not a public key for signatures.
	ReasonVerificationKeyInvalid = "VerificationKeyInvalid"
	// ReasonTrustedRootInvalid means that the trusted root that the spec names does not exist, or is not one.
	ReasonTrustedRootInvalid = "TrustedRootInvalid"
	// ReasonIdentityInvalid means that the identity that the spec names does not have an issuer and a subject, or that
	// the regular expression for its subject is not valid.
	ReasonIdentityInvalid = "IdentityInvalid"
	// ReasonNotSigned means that the artifact does not have a signature.
	ReasonNotSigned = "NotSigned"
	// ReasonTooManySignatures means that the artifact has more signatures than the operator reads, and none of those
	// that it read is valid.
	ReasonTooManySignatures = "TooManySignatures"
	// ReasonSignatureMalformed means that a signature could not be read.
	ReasonSignatureMalformed = "SignatureMalformed"
	// ReasonSignatureOfAnotherDigest means that a signature is stored with the artifact, but was made for another one.
	ReasonSignatureOfAnotherDigest = "SignatureOfAnotherDigest"
	// ReasonSignedByAnotherKey means that the artifact was signed, but not with a key or by an identity of the kind
	// that the spec names.
	ReasonSignedByAnotherKey = "SignedByAnotherKey"
	// ReasonSignatureInvalid means that a signature does not match what it signs: one of them was changed.
	ReasonSignatureInvalid = "SignatureInvalid"
	// ReasonNotInTransparencyLog means that no transparency log of the trusted root proves that the signature was
	// recorded.
	ReasonNotInTransparencyLog = "NotInTransparencyLog"
	// ReasonCertificateUntrusted means that no CA of the trusted root issued the signer's certificate, or that no
	// certificate transparency log of the trusted root recorded it.
	ReasonCertificateUntrusted = "CertificateUntrusted"
	// ReasonCertificateExpired means that the signer's certificate was not valid at the time of the signature, or that
	// nothing in the trusted root proves that time.
	ReasonCertificateExpired = "CertificateExpired"
	// ReasonSignedByAnotherIdentity means that the signature is valid, but was made by another identity than the one
	// that the spec names.
	ReasonSignedByAnotherIdentity = "SignedByAnotherIdentity"
)

// Reasons of a false Verified condition.
const (
	// ReasonDigestMismatch means that the module's digest is not spec.sha256.
	ReasonDigestMismatch = "DigestMismatch"
	// ReasonNotWasm means that the bytes are not a WebAssembly core module.
	ReasonNotWasm = "NotWasm"
	// ReasonInvalidModule means that the module is malformed or does not validate.
	ReasonInvalidModule = "InvalidModule"
	// ReasonCommandModule means that the module is a command (_start), not a reactor.
	ReasonCommandModule = "CommandModule"
	// ReasonMissingABIVersion means that the module has no k1s_abi_version export.
	ReasonMissingABIVersion = "MissingABIVersion"
	// ReasonUnsupportedABIVersion means that the operator does not support the module's ABI version.
	ReasonUnsupportedABIVersion = "UnsupportedABIVersion"
	// ReasonUnknownImport means that the module has an import that the host does not provide.
	ReasonUnknownImport = "UnknownImport"
	// ReasonMissingExport means that an export that the ABI or a capability requires is missing or has another type.
	ReasonMissingExport = "MissingExport"
	// ReasonInitializeFailed means that _initialize or k1s_initialize failed.
	ReasonInitializeFailed = "InitializeFailed"
	// ReasonInvalidMetadata means that the module's metadata could not be read.
	ReasonInvalidMetadata = "InvalidMetadata"
	// ReasonUnsupportedCapability means that the module declares a capability that this operator does not support.
	ReasonUnsupportedCapability = "UnsupportedCapability"
	// ReasonCapabilityNotDeclared means that spec.capabilities has a capability that the module does not declare.
	ReasonCapabilityNotDeclared = "CapabilityNotDeclared"
	// ReasonTypeNotDeclared means that spec.forTypes has a kind that the module does not declare.
	ReasonTypeNotDeclared = "TypeNotDeclared"
	// ReasonInvalidSelector means that spec.admission.objectSelector is not a valid label selector.
	ReasonInvalidSelector = "InvalidSelector"
	// ReasonMemoryLimit means that the module needs more memory than spec.runtime.maxMemoryPages.
	ReasonMemoryLimit = "MemoryLimit"
)

// Reasons of a false SettingsValid condition.
const (
	// ReasonSettingsInvalid means that spec.settings does not match the module's schema.
	ReasonSettingsInvalid = "SettingsInvalid"
	// ReasonSettingsConflict means that spec.settingsFrom and spec.settings have the same member.
	ReasonSettingsConflict = "SettingsConflict"
	// ReasonSecretNotFound means that a Secret of spec.settingsFrom does not exist.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonSecretKeyNotFound means that a Secret of spec.settingsFrom does not have the key.
	ReasonSecretKeyNotFound = "SecretKeyNotFound"
	// ReasonSecretForbidden means that the ServiceAccount lacks the verb get on a Secret of spec.settingsFrom.
	ReasonSecretForbidden = "SecretForbidden"
	// ReasonSecretInvalid means that a value of spec.settingsFrom is not UTF-8 text, or is too long.
	ReasonSecretInvalid = "SecretInvalid"
	// ReasonSecretUnavailable means that a Secret of spec.settingsFrom could not be read; the operator retries.
	ReasonSecretUnavailable = "SecretUnavailable"
	// ReasonSchemaInvalid means that the schema in the module's metadata is not a valid JSON Schema.
	ReasonSchemaInvalid = "SchemaInvalid"
)

// ReasonRBACDisabled is the reason of a true Authorized condition of a plugin that acts as the operator itself.
const ReasonRBACDisabled = "RBACDisabled"

// Reasons of a false Authorized condition.
const (
	// ReasonNotAsInDirectory means that a WasmPlugin with the label of the plugin directory differs from the file in a
	// field that decides about its permissions.
	ReasonNotAsInDirectory = "NotAsInDirectory"
	// ReasonServiceAccountNotFound means that the ServiceAccount does not exist.
	ReasonServiceAccountNotFound = "ServiceAccountNotFound"
	// ReasonKindNotFound means that the API server does not serve a kind that the plugin reconciles or owns.
	ReasonKindNotFound = "KindNotFound"
	// ReasonKindVersionNotServed means that the API server serves such a kind, but not in the version that the plugin
	// uses. It loads as soon as that version is served again.
	ReasonKindVersionNotServed = "KindVersionNotServed"
	// ReasonAccountForbidden means that the ServiceAccount lacks a verb on a kind, such as list, watch or validate.
	ReasonAccountForbidden = "AccountForbidden"
	// ReasonNamespacesRequired means that the plugin needs a namespace that security.allowedNamespaces leaves out.
	ReasonNamespacesRequired = "NamespacesRequired"
	// ReasonOperatorForbidden means that the operator lacks a verb on a kind: list or watch, or patch if the plugin
	// finalizes it.
	ReasonOperatorForbidden = "OperatorForbidden"
	// ReasonWebhooksDisabled means that the plugin needs webhooks, and the operator does not serve webhooks.
	ReasonWebhooksDisabled = "WebhooksDisabled"
	// ReasonReviewFailed means that an access review failed; the operator retries.
	ReasonReviewFailed = "ReviewFailed"
)

// Reasons of a false Compiled condition, besides InitializeFailed.
const (
	// ReasonCompileFailed means that the module could not be compiled.
	ReasonCompileFailed = "CompileFailed"
	// ReasonLimitExceeded means that the plugin, or the plugins of its namespace, exceed a limit that a flag of the
	// operator sets; the message names the flag.
	ReasonLimitExceeded = "LimitExceeded"
	// ReasonCompilerUnavailable means that the process that compiles modules could not be run; the operator retries.
	ReasonCompilerUnavailable = "CompilerUnavailable"
	// ReasonHealthCheckFailed means that k1s_health returned an error.
	ReasonHealthCheckFailed = "HealthCheckFailed"
)

// Reasons of Serving and Degraded.
const (
	// ReasonWatchFailed means that a watch could not be started; the operator retries.
	ReasonWatchFailed = "WatchFailed"
	// ReasonWebhooksFailed means that the plugin's webhook configurations could not be written; the operator retries.
	ReasonWebhooksFailed = "WebhooksFailed"
	// ReasonRecordFailed means that status.finalizedTypes could not be written; the operator adds no finalizer before,
	// and retries.
	ReasonRecordFailed = "RecordFailed"
	// ReasonNoRevision means that no revision has ever been loaded.
	ReasonNoRevision = "NoRevision"
	// ReasonPreviousRevision means that the previous revision serves, because the current one cannot.
	ReasonPreviousRevision = "PreviousRevision"
	// ReasonRolledBack means that the operator rolled back to the previous revision, because the first calls of the
	// current one failed. It does not retry until the spec or the module changes.
	ReasonRolledBack = "RolledBack"
	// ReasonCallsFailing means that the current revision serves, and half of its last calls or more failed.
	ReasonCallsFailing = "CallsFailing"
	// ReasonAsSpecified means that the revision of the current spec serves.
	ReasonAsSpecified = "AsSpecified"
)

// LabelAggregateToWatch on a ClusterRole adds its rules to the operator's permissions to watch kinds for plugins.
const LabelAggregateToWatch = "plugins.k1s.io/aggregate-to-watch"

const (
	// LabelDirectory marks WasmPlugins that the operator creates from files in its plugin directory.
	LabelDirectory = "plugins.k1s.io/directory"
	// AnnotationDirectoryReason is the condition reason of an invalid file, on the WasmPlugin of that file.
	AnnotationDirectoryReason = "plugins.k1s.io/directory-reason"
	// AnnotationDirectoryMessage is the condition message of an invalid file.
	AnnotationDirectoryMessage = "plugins.k1s.io/directory-message"
)
