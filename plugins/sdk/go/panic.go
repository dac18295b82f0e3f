// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"runtime"
	"strconv"
)

// stackBytes is how much of a panic's stack is logged: the operator keeps no more of one line.
const stackBytes = 8 << 10

// recoverInto, deferred, turns a panic into an error of reason InternalError with the panic's text and
// writes the stack to the log.
func recoverInto(err *error) {
	if v := recover(); v != nil {
		text := "panic: " + panicText(v)
		stack := make([]byte, stackBytes)
		stack = stack[:runtime.Stack(stack, false)]
		Log.Error(nil, text+"\n"+string(stack))
		*err = NewError(ReasonInternalError, text)
	}
}

// panicText returns what a panic was called with, as far as that can be told without package fmt.
func panicText(v any) (text string) {
	// The value's own method may panic in turn.
	defer func() {
		if recover() != nil {
			text = "a value that cannot be printed"
		}
	}()
	switch v := v.(type) {
	case error:
		return v.Error()
	case string:
		return v
	case interface{ String() string }:
		return v.String()
	case int:
		return strconv.Itoa(v)
	default:
		return "a value without text"
	}
}
