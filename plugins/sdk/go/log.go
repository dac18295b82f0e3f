// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"strconv"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Log writes to the log of the plugin in the operator.
var Log Logger

// Logger writes lines of the form
//
//	message key=value key="a value with spaces"
//
// Keys and values alternate. A value may be a string, an error, an integer, a float, a boolean, a json.Raw, a []string,
// or anything with a String method. The zero Logger is ready for use.
type Logger struct {
	suffix string // the pairs given to With, which end every line
}

// With returns a Logger that adds these pairs to every line.
func (l Logger) With(keysAndValues ...any) Logger {
	return Logger{suffix: string(appendPairs([]byte(l.suffix), keysAndValues))}
}

// Debug logs details for debugging.
func (l Logger) Debug(message string, keysAndValues ...any) {
	l.write(host.Debug, message, keysAndValues)
}

// Info logs what happens.
func (l Logger) Info(message string, keysAndValues ...any) {
	l.write(host.Info, message, keysAndValues)
}

// Warning logs what someone should check although the plugin continues.
func (l Logger) Warning(message string, keysAndValues ...any) {
	l.write(host.Warning, message, keysAndValues)
}

// Error logs a failure. The err may be nil. The operator logs the errors that a handler returns.
func (l Logger) Error(err error, message string, keysAndValues ...any) {
	if err != nil {
		keysAndValues = append(keysAndValues[:len(keysAndValues):len(keysAndValues)], "error", err)
	}
	l.write(host.Error, message, keysAndValues)
}

func (l Logger) write(level host.Level, message string, pairs []any) {
	host.Log(level, string(appendPairs([]byte(message+l.suffix), pairs)))
}

func appendPairs(line []byte, pairs []any) []byte {
	for i := 0; i < len(pairs); i += 2 {
		line = append(line, ' ')
		line = append(line, textOf(pairs[i])...)
		line = append(line, '=')
		if i+1 == len(pairs) {
			return append(line, "(missing)"...)
		}
		line = appendValue(line, textOf(pairs[i+1]))
	}
	return line
}

// appendValue appends a value. It quotes a value that would otherwise be ambiguous.
func appendValue(line []byte, value string) []byte {
	for _, r := range value {
		if r <= ' ' || r == '"' || r == '=' || r == 0x7f {
			return append(line, quote(value)...)
		}
	}
	if value == "" {
		return append(line, `""`...)
	}
	return append(line, value...)
}

// textOf returns a value as text. It does not use package fmt, which would add a quarter of a megabyte to the module.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return v
	case error:
		return v.Error()
	case interface{ String() string }:
		return v.String()
	case json.Raw:
		return string(v)
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case int32:
		return strconv.FormatInt(int64(v), 10)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint32:
		return strconv.FormatUint(uint64(v), 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []string:
		var e json.Encoder
		e.Strings(v)
		return string(e.Bytes())
	default:
		return "(a type that cannot be logged)"
	}
}

// quote returns a string in quotes, with JSON escapes.
func quote(s string) string {
	var e json.Encoder
	e.String(s)
	return string(e.Bytes())
}
