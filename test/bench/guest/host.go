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

// Host is a cluster in memory that has one Category: a read costs what the engine makes of it.
type Host struct {
	plugin.Host // nil: a guest that asks for anything else is not one of ours

	// OnGet, if set, is called in each read.
	OnGet func()
	// Category is what is read; nil stands for the usual one.
	Category []byte
}

// NewHost returns the usual cluster.
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
