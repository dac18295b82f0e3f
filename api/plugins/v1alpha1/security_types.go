// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Security narrows what a plugin may do. A request passes only when these lists allow it and the
// ServiceAccount may do it as well.
//
// +kubebuilder:validation:XValidation:rule="!has(self.burst) || has(self.requestsPerSecond)",message="burst goes with requestsPerSecond"
type Security struct {
	// allowedResources are the resources that the plugin may use, each
	// "resource[.group][/subresource]": "items", "deployments.apps", "items/status", "*/status", "*".
	// Without a group, every group with that resource is meant; "*" is every resource but no
	// subresource. Absent means every resource that the ServiceAccount may use; an empty list means none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MaxLength=317
	// +kubebuilder:validation:items:Pattern=`^(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)(\.[a-z0-9]([-a-z0-9.]*[a-z0-9])?)?(/(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?))?$`
	AllowedResources []string `json:"allowedResources,omitzero"`

	// allowedVerbs are the verbs that the plugin may use. Absent means every verb that the
	// ServiceAccount may use; an empty list means none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=7
	AllowedVerbs []Verb `json:"allowedVerbs,omitzero"`

	// allowedNamespaces are the namespaces whose objects the plugin may see and change; "*" is every
	// namespace and the cluster-scoped objects. Absent means the plugin's own namespace; an empty
	// list means none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$`
	AllowedNamespaces []string `json:"allowedNamespaces,omitzero"`

	// allowedHosts are where the plugin may send HTTP requests, each "host[:port]": "api.example.com",
	// "*.internal.example.com:8443" (every host below, at any depth), "192.0.2.1", "[2001:db8::1]:8080". Without
	// a port, 443 is meant for https and 80 for http. Loopback, link-local and metadata addresses and those that the
	// operator denies are refused all the same. Absent or empty means none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=259
	// +kubebuilder:validation:items:Pattern=`^([a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*|\*\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)+|\[[0-9a-f:.]+\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?$`
	AllowedHosts []string `json:"allowedHosts,omitempty"`

	// maxConcurrentRequests is how many requests of the plugin may be under way at once; one more is
	// answered TooManyRequests. Defaults to 10.
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MaxConcurrentRequests int32 `json:"maxConcurrentRequests,omitempty"`

	// requestsPerSecond is how many requests the plugin may make each second, in the long run and
	// wherever they are answered from; one more is answered TooManyRequests. Absent means no such bound.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	RequestsPerSecond int32 `json:"requestsPerSecond,omitempty"`

	// burst is how many requests the plugin may make at once after a while without any. Absent means
	// twice requestsPerSecond.
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
