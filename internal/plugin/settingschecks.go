// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"sync"
)

// maxSettingsChecks is how many checks of settings run at once: each may take some 20 MB.
const maxSettingsChecks = 2

// SettingsChecks checks settings apart from whoever asks for it, a few at once. The zero value is ready for use.
type SettingsChecks struct {
	once  sync.Once
	slots chan struct{}
}

// Check is CheckSettingsContext on a goroutine of its own, which ends soon after the context does: what it cannot interrupt takes a
// limited number of steps. The error is the context's when that ends before there is a result.
func (c *SettingsChecks) Check(ctx context.Context, schema, settings json.RawMessage, secrets ...Secret) error {
	if len(schema) == 0 {
		return nil
	}
	c.once.Do(func() { c.slots = make(chan struct{}, maxSettingsChecks) })
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	result := make(chan error, 1)
	go func() {
		defer func() { <-c.slots }()
		result <- CheckSettingsContext(ctx, schema, settings, secrets...)
	}()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
