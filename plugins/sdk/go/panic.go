// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"runtime"
	"strconv"
)

// stackBytes is the number of bytes of a panic's stack that are logged. The operator keeps no more of one line.
const stackBytes = 8 << 10

// recoverInto, when deferred, converts a panic to an error of reason InternalError with the panic's text, and logs the
// stack.
func recoverInto(err *error) {
	if v := recover(); v != nil {
		text := "panic: " + panicText(v)
		stack := make([]byte, stackBytes)
		stack = stack[:runtime.Stack(stack, false)]
		Log.Error(nil, text+"\n"+string(stack))
		*err = NewError(ReasonInternalError, text)
	}
}

// panicText returns the value of a panic as text, as far as that is possible without package fmt.
func panicText(v any) (text string) {
	// The value's own method may panic too.
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
