// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Turn describes why a request is reconciled now.
type Turn struct {
	// Attempt is 1 for the first attempt, and increases with every failure in a row.
	Attempt int
	// Causes are the states of objects that events reported since the request was last reconciled, each once.
	Causes []Cause
	// Other reports whether there were other causes too: the initial list, a deletion, or more events than are
	// recorded. A turn without any cause is a retry, or was requested.
	Other bool
}

// Cause identifies a state of an object, as the API server does.
type Cause struct {
	UID             types.UID
	ResourceVersion string
}

// maxCauses is how many causes of one request are recorded.
const maxCauses = 16

// causes collects why requests are to be reconciled. It contains only requests that are in the queue.
type causes struct {
	mu        sync.Mutex
	byRequest map[Request]*Turn
}

func newCauses() *causes { return &causes{byRequest: map[Request]*Turn{}} }

// add records an event about an object. A nil object stands for an event that no state of an object distinguishes from
// others.
func (c *causes) add(req Request, o metav1.Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.byRequest[req]
	if t == nil {
		t = &Turn{}
		c.byRequest[req] = t
	}
	if o == nil || len(t.Causes) == maxCauses {
		t.Other = true
		return
	}
	cause := Cause{UID: o.GetUID(), ResourceVersion: o.GetResourceVersion()}
	for _, known := range t.Causes {
		if known == cause {
			return
		}
	}
	t.Causes = append(t.Causes, cause)
}

// take returns what was recorded about a request, and removes it.
func (c *causes) take(req Request) Turn {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.byRequest[req]
	delete(c.byRequest, req)
	if t == nil {
		return Turn{}
	}
	return *t
}
