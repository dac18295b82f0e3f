// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types of a WasmPlugin, in the order in which they are decided.
const (
	// ConditionReady is true while the revision that the spec asks for serves, and its calls succeed.
	ConditionReady = "Ready"
	// ConditionFetched reports whether the module's bytes were read from the source.
	ConditionFetched = "Fetched"
	// ConditionVerified reports whether the bytes are a plugin that fits the spec.
	ConditionVerified = "Verified"
	// ConditionSettingsValid reports whether the settings, those from Secrets included, are there and meet the
	// schema in the module's metadata.
	ConditionSettingsValid = "SettingsValid"
	// ConditionAuthorized reports whether the ServiceAccount may do what the plugin's capabilities need: watch what it
	// reconciles, validate and mutate what it holds up.
	ConditionAuthorized = "Authorized"
	// ConditionCompiled reports whether the module was compiled, initialized and found healthy.
	ConditionCompiled = "Compiled"
	// ConditionServing reports whether a revision, the wanted one or the one before, gets events and requests.
	ConditionServing = "Serving"
	// ConditionDegraded is true while an older revision serves in place of the wanted one, or the wanted
	// one serves and its calls fail.
	ConditionDegraded = "Degraded"
	// ConditionCleanedUp reports whether the plugin's finalizer is gone from all objects that it no longer
	// belongs on. There is none for a plugin that never had the capability finalization.
	ConditionCleanedUp = "CleanedUp"
)

// Reasons shared by all conditions.
const (
	// ReasonSucceeded is the reason of a true condition.
	ReasonSucceeded = "Succeeded"
	// ReasonPending means that an earlier phase has to succeed first.
	ReasonPending = "Pending"
	// ReasonSuspended means that spec.suspend is true.
	ReasonSuspended = "Suspended"
	// ReasonTerminating means that the WasmPlugin is being deleted.
	ReasonTerminating = "Terminating"
)

// Reasons of a false CleanedUp condition, besides Terminating.
const (
	// ReasonSweepFailed means that the plugin's finalizer could not be taken off some objects; it is tried again.
	ReasonSweepFailed = "SweepFailed"
)

// Reasons of a false Fetched condition.
const (
	// ReasonConfigMapNotFound means that the ConfigMap does not exist.
	ReasonConfigMapNotFound = "ConfigMapNotFound"
	// ReasonConfigMapKeyNotFound means that the ConfigMap has no such key in binaryData.
	ReasonConfigMapKeyNotFound = "ConfigMapKeyNotFound"
	// ReasonFileNotFound means that there is no such file below the plugin directory.
	ReasonFileNotFound = "FileNotFound"
	// ReasonInvalidCompression means that a gzip or zstd stream could not be read to its end.
	ReasonInvalidCompression = "InvalidCompression"
	// ReasonModuleTooLarge means that the uncompressed module is above the operator's limit.
	ReasonModuleTooLarge = "ModuleTooLarge"
	// ReasonSourceUnavailable means that the source could not be read; it is tried again.
	ReasonSourceUnavailable = "SourceUnavailable"
	// ReasonInvalidPluginFile means that a file in the plugin directory could not be understood.
	ReasonInvalidPluginFile = "InvalidPluginFile"
	// ReasonDuplicateName means that two files in the plugin directory define a plugin of one name.
	ReasonDuplicateName = "DuplicateName"
)

// Reasons of a false Verified condition.
const (
	// ReasonDigestMismatch means that the bytes are not those that spec.sha256 pins.
	ReasonDigestMismatch = "DigestMismatch"
	// ReasonNotWasm means that the bytes are no WebAssembly core module.
	ReasonNotWasm = "NotWasm"
	// ReasonInvalidModule means that the module is malformed or fails WebAssembly's validation.
	ReasonInvalidModule = "InvalidModule"
	// ReasonCommandModule means that the module is a command (_start), not a reactor.
	ReasonCommandModule = "CommandModule"
	// ReasonMissingABIVersion means that the module has no k1s_abi_version export.
	ReasonMissingABIVersion = "MissingABIVersion"
	// ReasonUnsupportedABIVersion means that the module speaks an ABI that this operator does not.
	ReasonUnsupportedABIVersion = "UnsupportedABIVersion"
	// ReasonUnknownImport means that the module imports something the host does not offer.
	ReasonUnknownImport = "UnknownImport"
	// ReasonMissingExport means that an export which the ABI or a capability needs is missing or has another signature.
	ReasonMissingExport = "MissingExport"
	// ReasonInitializeFailed means that _initialize or k1s_initialize failed.
	ReasonInitializeFailed = "InitializeFailed"
	// ReasonInvalidMetadata means that the module's metadata could not be read.
	ReasonInvalidMetadata = "InvalidMetadata"
	// ReasonUnsupportedCapability means that the module declares a capability that this operator does not offer.
	ReasonUnsupportedCapability = "UnsupportedCapability"
	// ReasonCapabilityNotDeclared means that spec.capabilities asks for more than the module declares.
	ReasonCapabilityNotDeclared = "CapabilityNotDeclared"
	// ReasonTypeNotDeclared means that spec.forTypes names a kind that the module does not declare.
	ReasonTypeNotDeclared = "TypeNotDeclared"
	// ReasonInvalidSelector means that spec.admission.objectSelector is no label selector.
	ReasonInvalidSelector = "InvalidSelector"
	// ReasonMemoryLimit means that the module needs more memory than spec.runtime.maxMemoryPages.
	ReasonMemoryLimit = "MemoryLimit"
)

// Reasons of a false SettingsValid condition.
const (
	// ReasonSettingsInvalid means that spec.settings does not meet the module's schema.
	ReasonSettingsInvalid = "SettingsInvalid"
	// ReasonSettingsConflict means that spec.settingsFrom has a member that spec.settings has too.
	ReasonSettingsConflict = "SettingsConflict"
	// ReasonSecretNotFound means that a Secret of spec.settingsFrom does not exist.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonSecretKeyNotFound means that such a Secret does not have the key.
	ReasonSecretKeyNotFound = "SecretKeyNotFound"
	// ReasonSecretForbidden means that the ServiceAccount may not get such a Secret.
	ReasonSecretForbidden = "SecretForbidden"
	// ReasonSecretInvalid means that the value of such a key is no text, or too long.
	ReasonSecretInvalid = "SecretInvalid"
	// ReasonSecretUnavailable means that such a Secret could not be read; it is tried again.
	ReasonSecretUnavailable = "SecretUnavailable"
	// ReasonSchemaInvalid means that the schema in the module's metadata is no JSON Schema.
	ReasonSchemaInvalid = "SchemaInvalid"
)

// ReasonRBACDisabled is the reason of a true Authorized condition of a plugin that acts as the operator itself.
const ReasonRBACDisabled = "RBACDisabled"

// Reasons of a false Authorized condition.
const (
	// ReasonNotAsInDirectory means that a WasmPlugin that is labeled as made of the plugin directory is not what
	// the directory defines, where that decides about its rights.
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
	// ReasonOperatorForbidden means that the operator itself may not list or watch a kind, or not patch one that
	// the plugin finalizes.
	ReasonOperatorForbidden = "OperatorForbidden"
	// ReasonWebhooksDisabled means that the plugin holds requests up, but the operator serves no webhooks.
	ReasonWebhooksDisabled = "WebhooksDisabled"
	// ReasonReviewFailed means that the API server did not answer an access review; it is asked again.
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
	// ReasonHealthCheckFailed means that k1s_health answered with an error.
	ReasonHealthCheckFailed = "HealthCheckFailed"
)

// Reasons of Serving and Degraded.
const (
	// ReasonWatchFailed means that a watch could not be started; it is tried again.
	ReasonWatchFailed = "WatchFailed"
	// ReasonWebhooksFailed means that the plugin's webhook configurations could not be written; it is tried again.
	ReasonWebhooksFailed = "WebhooksFailed"
	// ReasonRecordFailed means that it could not be written down what the plugin leaves on other objects, so
	// that it may leave nothing there; it is tried again.
	ReasonRecordFailed = "RecordFailed"
	// ReasonNoRevision means that no revision has ever been loaded.
	ReasonNoRevision = "NoRevision"
	// ReasonPreviousRevision means that the revision before serves, because the wanted one cannot.
	ReasonPreviousRevision = "PreviousRevision"
	// ReasonRolledBack means that the wanted revision was taken back, because its first calls failed. It is
	// not tried again until the spec or the module changes.
	ReasonRolledBack = "RolledBack"
	// ReasonCallsFailing means that the wanted revision serves, but half of its last calls failed or more.
	ReasonCallsFailing = "CallsFailing"
	// ReasonAsSpecified means that what serves is what the spec asks for.
	ReasonAsSpecified = "AsSpecified"
)

// LabelAggregateToWatch on a ClusterRole adds its rules to what the operator may watch for plugins.
const LabelAggregateToWatch = "plugins.k1s.io/aggregate-to-watch"

const (
	// LabelDirectory marks WasmPlugins that the operator made of files in its plugin directory.
	LabelDirectory = "plugins.k1s.io/directory"
	// AnnotationDirectoryReason holds the reason why the file that such a WasmPlugin was made of cannot
	// be used.
	AnnotationDirectoryReason = "plugins.k1s.io/directory-reason"
	// AnnotationDirectoryMessage says what is wrong with that file.
	AnnotationDirectoryMessage = "plugins.k1s.io/directory-message"
)
