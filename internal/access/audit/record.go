// SPDX-License-Identifier: Apache-2.0

package audit

import "time"

// Decisions of a Record.
const (
	// DecisionAllowed means that the request succeeded at the API server, or that an HTTP server responded.
	DecisionAllowed = "allowed"
	// DecisionDenied means that a layer denied the request, and that nothing was done.
	DecisionDenied = "denied"
	// DecisionError means that the request failed for another reason.
	DecisionError = "error"
)

// Layers that can deny a request. The guest reads the name of the layer at the beginning of the message.
const (
	LayerCapability = "capability"
	LayerAllowlist  = "allowlist"
	LayerRBAC       = "rbac"
	LayerRate       = "rate"
	LayerLimit      = "limit"
	// LayerAddress denies an HTTP request because of an address that its host resolves to.
	LayerAddress = "address"
	// LayerAPIServer is the API server, which forbids a request by RBAC for the plugin's ServiceAccount, or by admission.
	LayerAPIServer = "apiserver"
)

// ReasonNoAnswer is the reason if the API server did not respond. Whether the change was made is not known.
const ReasonNoAnswer = "NoAnswer"

// Record is the record of one request of a guest. There is one for each request that changes something, and, up to a
// limit, for HTTP requests and denied requests. It contains only the name of an object, not its content. docs/audit.md
// explains the fields.
type Record struct {
	Time time.Time `json:"time"`
	// Plugin is "namespace/name" of the WasmPlugin.
	Plugin string `json:"plugin"`
	// Revision is the digest of the module.
	Revision string `json:"revision,omitempty"`
	// Account is the user name that the API server sees.
	Account string `json:"account"`

	Verb        string `json:"verb"`
	Group       string `json:"group"`
	Resource    string `json:"resource"`
	Subresource string `json:"subresource,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Name        string `json:"name,omitempty"`
	// Host and Status are set for an HTTP request: the last destination as "host:port", and the status code of its
	// response.
	Host   string `json:"host,omitempty"`
	Status int    `json:"status,omitempty"`

	Decision string `json:"decision"`
	// Layer is the layer that denied the request.
	Layer string `json:"layer,omitempty"`
	// Reason is the API reason of a request that did not succeed.
	Reason string `json:"reason,omitempty"`
	// LatencyMicros is how long the guest waited, in microseconds.
	LatencyMicros int64 `json:"latencyMicros"`
	// Omitted is how many requests of the plugin were not recorded since its previous Record.
	Omitted int64 `json:"omitted,omitempty"`
}

// Sink receives Records. It is called while a guest waits, so it must not block.
type Sink interface {
	Record(r Record)
}
