// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
)

// retry retries a call that was interrupted because its revision was unloaded. The revision that replaced it answers.
// The retry is safe, because the call changed nothing: its export is only allowed to read.
type retry struct {
	plugin.Runner

	// timeout is the timeout of each attempt; see patience.
	timeout time.Duration
}

// Call implements plugin.Runner.
func (r retry) Call(ctx context.Context, call plugin.Call) ([]byte, error) {
	call.Timeout = r.timeout
	reply, err := r.Runner.Call(ctx, call)
	if plugin.KindOf(err) == plugin.KindClosed && ctx.Err() == nil {
		return r.Runner.Call(ctx, call)
	}
	return reply, err
}
