// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
)

// retry makes a call again that was cut off because its revision had to leave. The one that has taken its place
// answers, and nothing was changed by the call: its export may only read.
type retry struct {
	plugin.Runner

	// timeout bounds each try; see patience.
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
