// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Turn is why a request is reconciled now.
type Turn struct {
	// Attempt is 1 and counts up with every failure in a row.
	Attempt int
	// Causes are the states of objects that events reported since the request was last reconciled, each once.
	Causes []Cause
	// Other reports that there were other causes too: the first listing, a deletion, or more events than are kept. A
	// turn without any cause is a retry, or was asked for.
	Other bool
}

// Cause is a state of an object, as the API server names it.
type Cause struct {
	UID             types.UID
	ResourceVersion string
}

// maxCauses is how many causes of one request are told apart.
const maxCauses = 16

// causes gathers why requests are to be reconciled. It holds what the queue holds, and no more.
type causes struct {
	mu        sync.Mutex
	byRequest map[Request]*Turn
}

func newCauses() *causes { return &causes{byRequest: map[Request]*Turn{}} }

// add notes an event about an object; nil is one that no state of an object tells apart from others.
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

// take returns what was noted about a request, and begins anew.
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
