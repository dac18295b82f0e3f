// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"bytes"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/text"
)

const (
	// maxTail is how much of a guest's standard error an error message quotes, in bytes.
	maxTail = 1 << 10
	// maxLinesPerCall is how many log messages and lines of output one call can log in total. More lines are dropped
	// and counted.
	maxLinesPerCall = 100
	// loggedPerSecond and loggedAtOnce limit what a revision logs, in bytes. A guest can cause itself to be called
	// repeatedly, and log rotation would then remove the lines of others and of the audit log.
	loggedPerSecond, loggedAtOnce = 64 << 10, 4 << 20
	// lineOverhead is approximately the size of a line without the message, in bytes.
	lineOverhead = 200
)

// newOutputLimiter returns the rate limiter for the log output of all instances of a revision together. Its unit is bytes.
func newOutputLimiter() *rate.Limiter { return rate.NewLimiter(loggedPerSecond, loggedAtOnce) }

// quota limits the log output of one call.
type quota struct {
	log           logr.Logger
	used, dropped int
	// limiter limits the log output of all calls of the revision. nil means no limit.
	limiter *rate.Limiter
}

// take reports whether one more line is allowed.
func (q *quota) take(bytes int) bool {
	if q.used == maxLinesPerCall || !q.affords(min(bytes, abi.MaxLogMessage)) {
		q.dropped++
		return false
	}
	q.used++
	return true
}

func (q *quota) affords(bytes int) bool {
	return q.limiter == nil || q.limiter.AllowN(time.Now(), bytes+lineOverhead)
}

// reset starts a new call. It logs the number of dropped lines as soon as the limit allows it.
func (q *quota) reset() {
	q.used = 0
	if q.dropped > 0 && q.affords(0) {
		q.log.Info("Dropped lines of a guest that logs too much", "lines", q.dropped)
		q.dropped = 0
	}
}

// output receives what a guest writes to standard output or standard error. It logs whole lines, and keeps the
// beginning of the output of the current call, where a panic describes itself.
type output struct {
	log    logr.Logger
	redact *plugin.Redactor
	quota  *quota
	// mustContinue stops a guest whose time has run out: one call may write thousands of times.
	mustContinue func()
	// line and head keep one byte more than is shown, which indicates that they are truncated.
	line []byte
	head []byte
}

func newOutput(in *instance, stream string) *output {
	return &output{log: in.log.WithValues("stream", stream), redact: in.redact, quota: in.quota, mustContinue: in.MustContinue}
}

// Write implements io.Writer. It never fails: dropped output must not stop a guest.
func (o *output) Write(p []byte) (int, error) {
	o.mustContinue()
	if room := maxTail + 1 - len(o.head); room > 0 {
		o.head = append(o.head, p[:min(room, len(p))]...)
	}
	for rest := p; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			o.keep(rest)
			break
		}
		o.keep(rest[:i])
		o.flush()
		rest = rest[i+1:]
	}
	return len(p), nil
}

// keep appends to the current line, up to the maximum size of a log message.
func (o *output) keep(p []byte) {
	if room := abi.MaxLogMessage + 1 - len(o.line); room > 0 {
		o.line = append(o.line, p[:min(room, len(p))]...)
	}
}

func (o *output) flush() {
	if len(o.line) > 0 && o.quota.take(len(o.line)) {
		o.log.Info(text.Printable(o.redact.Cut(string(o.line), abi.MaxLogMessage)))
	}
	o.line = o.line[:0]
}

// reset ends a call. It also logs a last line without a line end.
func (o *output) reset() {
	o.flush()
	o.head = o.head[:0]
}

// tail returns the beginning of the output of the current call, on one line.
func (o *output) tail() string {
	return strings.Join(strings.Fields(text.Printable(o.redact.Cut(string(o.head), maxTail))), " ")
}
