// SPDX-License-Identifier: Apache-2.0

package guest

import (
	"context"
	"errors"
	"fmt"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/test/bench/work"
)

// Host is an in-memory cluster with one Category, so that a read costs only what the engine adds.
type Host struct {
	plugin.Host // nil: the guests of the benchmark call nothing else

	// OnGet, if set, is called in each read.
	OnGet func()
	// Category is the object that a read returns.
	Category []byte
}

// NewHost returns a Host with the Category of package work.
func NewHost() *Host { return &Host{Category: work.Category()} }

var errOther = errors.New("the guest asked for another object")

// Get implements plugin.Host.
func (h *Host) Get(_ context.Context, req abi.ObjectKey) ([]byte, error) {
	if h.OnGet != nil {
		h.OnGet()
	}
	if req != work.CategoryKey() {
		return nil, fmt.Errorf("%w: %v", errOther, req)
	}
	return h.Category, nil
}
