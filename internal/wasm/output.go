// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"bytes"
	"strings"
	"time"
	"unicode"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

const (
	// maxTail is how much of a guest's standard error an error message quotes, in bytes.
	maxTail = 1 << 10
	// maxLinesPerCall is how many messages and lines of output one call may log, in all; the rest is
	// dropped and counted.
	maxLinesPerCall = 100
	// loggedPerSecond and loggedAtOnce bound what a revision logs, in bytes: a guest can ask to be called again and
	// again, and others' lines, and the audit log's, would be rotated away.
	loggedPerSecond, loggedAtOnce = 64 << 10, 4 << 20
	// lineOverhead is about what a line takes besides the message.
	lineOverhead = 200
)

// newPurse makes what all instances of a revision may log together. Its unit is bytes.
func newPurse() *rate.Limiter { return rate.NewLimiter(loggedPerSecond, loggedAtOnce) }

// quota bounds what one call logs.
type quota struct {
	log           logr.Logger
	used, dropped int
	// purse bounds what all calls of the revision log; nil is no bound.
	purse *rate.Limiter
}

// take reports whether one more line may be logged.
func (q *quota) take(bytes int) bool {
	if q.used == maxLinesPerCall || !q.affords(min(bytes, abi.MaxLogMessage)) {
		q.dropped++
		return false
	}
	q.used++
	return true
}

func (q *quota) affords(bytes int) bool {
	return q.purse == nil || q.purse.AllowN(time.Now(), bytes+lineOverhead)
}

// reset begins a new call. What was dropped is told when there is room for that.
func (q *quota) reset() {
	q.used = 0
	if q.dropped > 0 && q.affords(0) {
		q.log.Info("Dropped lines of a guest that logs too much", "lines", q.dropped)
		q.dropped = 0
	}
}

// output takes what a guest writes to standard output or error: it logs whole lines and remembers
// the beginning of the current call's, where a panic says what it is.
type output struct {
	log    logr.Logger
	redact *plugin.Redactor
	quota  *quota
	// mustContinue stops a guest whose time is over: one call may write thousands of times.
	mustContinue func()
	// line and head are kept with one byte more than is shown of them, which tells that they are cut.
	line []byte
	head []byte
}

func newOutput(in *instance, stream string) *output {
	return &output{log: in.log.WithValues("stream", stream), redact: in.redact, quota: in.quota, mustContinue: in.MustContinue}
}

// Write implements io.Writer. It never fails: a guest is not to stop because nobody listens.
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

// keep adds to the current line, up to the longest log message.
func (o *output) keep(p []byte) {
	if room := abi.MaxLogMessage + 1 - len(o.line); room > 0 {
		o.line = append(o.line, p[:min(room, len(p))]...)
	}
}

func (o *output) flush() {
	if len(o.line) > 0 && o.quota.take(len(o.line)) {
		o.log.Info(printable(o.redact.Cut(string(o.line), abi.MaxLogMessage)))
	}
	o.line = o.line[:0]
}

// reset ends a call: a line without an end is a line too.
func (o *output) reset() {
	o.flush()
	o.head = o.head[:0]
}

// tail returns what the current call wrote, on one line.
func (o *output) tail() string {
	return strings.Join(strings.Fields(printable(o.redact.Cut(string(o.head), maxTail))), " ")
}

// printable returns text that cannot forge lines of a log: control characters become spaces.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
