// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/text"
)

// Log levels of k1s_log.
const (
	logDebug = iota
	logInfo
	logWarning
	logError
)

// hostLog implements k1s_log(level, ptr, len).
func hostLog(ctx context.Context, module api.Module, stack []uint64) {
	in := instanceFrom(ctx)
	bytes := in.mustView(module, stack[1], stack[2])
	if !in.quota.take(len(bytes)) {
		return
	}
	// One extra byte shows Cut that the message is truncated.
	message := text.Printable(in.redact.Cut(string(bytes[:min(len(bytes), abi.MaxLogMessage+1)]), abi.MaxLogMessage))
	switch level := uint32(stack[0]); {
	case level == logDebug:
		in.log.V(1).Info(message)
	case level == logWarning:
		in.log.Info(message, "severity", "warning")
	case level >= logError:
		in.log.Error(nil, message)
	default:
		in.log.Info(message)
	}
}

// hostNow implements k1s_now() -> nanoseconds since 1970.
func hostNow(_ context.Context, _ api.Module, stack []uint64) {
	stack[0] = uint64(time.Now().UnixNano())
}

// hostRandom implements k1s_random(ptr, len).
func hostRandom(ctx context.Context, module api.Module, stack []uint64) {
	in := instanceFrom(ctx)
	if length := uint32(stack[1]); length > abi.MaxRandom {
		panic(violation("%s was asked for %d bytes, more than the %d allowed", abi.FuncRandom, length, abi.MaxRandom))
	}
	in.Random(in.mustView(module, stack[0], stack[1]))
}
