// SPDX-License-Identifier: Apache-2.0

package work

type request struct {
	Kind    string      `json:"kind"`
	Object  *itemObject `json:"object"`
	Attempt int         `json:"attempt"`
}

type itemObject struct {
	Metadata metadata   `json:"metadata"`
	Spec     itemSpec   `json:"spec"`
	Status   itemStatus `json:"status"`
}

type metadata struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels"`
}

type itemSpec struct {
	Name     string   `json:"name"`
	Quantity int64    `json:"quantity"`
	Price    int64    `json:"price"`
	Category string   `json:"category"`
	Tags     []string `json:"tags"`
}

type itemStatus struct {
	Conditions []condition `json:"conditions"`
}

type condition struct {
	Type   string `json:"type"`
	Status string `json:"status"`
	Reason string `json:"reason"`
}

type key struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
}

type categoryObject struct {
	Metadata metadata       `json:"metadata"`
	Spec     categorySpec   `json:"spec"`
	Status   categoryStatus `json:"status"`
}

type categorySpec struct {
	Name string `json:"name"`
}

type categoryStatus struct {
	Path       string      `json:"path"`
	Depth      int64       `json:"depth"`
	ItemCount  int64       `json:"itemCount"`
	Conditions []condition `json:"conditions"`
}

type result struct {
	RequeueAfterMillis int64 `json:"requeueAfterMillis,omitempty"`
}
