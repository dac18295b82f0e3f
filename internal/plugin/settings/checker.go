// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"context"
	"encoding/json"
	"sync"
)

// maxChecks is the maximum number of concurrent checks. Each may take about 20 MB.
const maxChecks = 2

// Checker validates settings in separate goroutines, of which a few run concurrently. The zero value is ready
// for use.
type Checker struct {
	once  sync.Once
	slots chan struct{}
}

// Check calls Check in a separate goroutine. The goroutine ends soon after the context ends, because
// work that cannot be interrupted takes a limited number of steps. If the context ends before there is a result, the
// error is that of the context.
func (c *Checker) Check(ctx context.Context, schema, settings json.RawMessage, secrets ...Secret) error {
	if len(schema) == 0 {
		return nil
	}
	c.once.Do(func() { c.slots = make(chan struct{}, maxChecks) })
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	result := make(chan error, 1)
	go func() {
		defer func() { <-c.slots }()
		result <- Check(ctx, schema, settings, secrets...)
	}()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
