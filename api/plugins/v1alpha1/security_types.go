// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Security restricts a plugin. A request is allowed only if these lists and the RBAC rules of the ServiceAccount allow
// it.
//
// +kubebuilder:validation:XValidation:rule="!has(self.burst) || has(self.requestsPerSecond)",message="burst goes with requestsPerSecond"
type Security struct {
	// allowedResources are the resources that the plugin may use, each
	// "resource[.group][/subresource]": "items", "deployments.apps", "items/status", "*/status", "*".
	// Without a group, the resource of every group is allowed; "*" is every resource, without subresources. Absent
	// means every resource that RBAC allows; an empty list means no resource.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MaxLength=317
	// +kubebuilder:validation:items:Pattern=`^(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)(\.[a-z0-9]([-a-z0-9.]*[a-z0-9])?)?(/(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?))?$`
	AllowedResources []string `json:"allowedResources,omitzero"`

	// allowedVerbs are the verbs that the plugin may use. Absent means every verb that RBAC allows; an empty list means
	// no verb.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=7
	AllowedVerbs []Verb `json:"allowedVerbs,omitzero"`

	// allowedNamespaces are the namespaces whose objects the plugin may read and write; "*" is every namespace and the
	// cluster-scoped objects. Absent means the plugin's own namespace; an empty list means no namespace.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$`
	AllowedNamespaces []string `json:"allowedNamespaces,omitzero"`

	// allowedHosts are the hosts to which the plugin may send HTTP requests, each "host[:port]": "api.example.com",
	// "*.internal.example.com:8443" (every host below, at any depth), "192.0.2.1", "[2001:db8::1]:8080". The
	// default port is 443 for https and 80 for http. Loopback, link-local and metadata addresses, and those that the
	// operator denies, are always denied. Absent or empty means no host.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=259
	// +kubebuilder:validation:items:Pattern=`^([a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*|\*\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)+|\[[0-9a-f:.]+\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?$`
	AllowedHosts []string `json:"allowedHosts,omitempty"`

	// maxConcurrentRequests is the maximum number of concurrent requests of the plugin; further requests fail with
	// TooManyRequests. Defaults to 10.
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MaxConcurrentRequests int32 `json:"maxConcurrentRequests,omitempty"`

	// requestsPerSecond is the maximum rate of requests of the plugin, whether the cache or the API server serves them;
	// further requests fail with TooManyRequests. Absent means no such limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	RequestsPerSecond int32 `json:"requestsPerSecond,omitempty"`

	// burst is the number of requests above the rate that the plugin may make after a period without requests. Absent
	// means twice requestsPerSecond.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=200000
	Burst int32 `json:"burst,omitempty"`
}

// Verb is a Kubernetes API verb.
// +kubebuilder:validation:Enum=get;list;watch;create;update;patch;delete
type Verb string

// The verbs a plugin can use.
const (
	VerbGet    Verb = "get"
	VerbList   Verb = "list"
	VerbWatch  Verb = "watch"
	VerbCreate Verb = "create"
	VerbUpdate Verb = "update"
	VerbPatch  Verb = "patch"
	VerbDelete Verb = "delete"
)
