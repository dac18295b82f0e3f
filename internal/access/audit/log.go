// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
)

const (
	// maxUnwritten is how many Records can wait to be written. One takes about 400 bytes.
	maxUnwritten = 8192
	// logger distinguishes the lines of this log from those of the operator's log, if both go to the same place.
	logger = "audit"
	// complainEvery is the minimum interval between messages about lost Records in the operator's log.
	complainEvery = time.Minute
	// writeBytes is how many bytes are buffered for one write.
	writeBytes = 64 << 10
	// closeTimeout is how long Close waits until all Records are written.
	closeTimeout = 5 * time.Second
)

// entry is one line of the log: a Record, with the number of lost Records before it.
type entry struct {
	Logger string `json:"logger"`
	*Record
	// Dropped is how many Records were lost since the previous line.
	Dropped int64 `json:"dropped,omitempty"`
}

// Log writes Records as lines of JSON. A Record waits in memory until it is written. If too many wait, because the
// writer blocks, further Records are dropped and counted, and the next line has their number. A guest never waits for
// the log.
type Log struct {
	out     io.Writer
	log     logr.Logger
	metrics Metrics
	records chan Record
	done    chan struct{}
	// lost counts dropped Records that no line has reported yet.
	lost atomic.Int64
	// complained is when lost Records were last reported to the operator's log, in nanoseconds since 1970.
	complained atomic.Int64

	mu     sync.RWMutex // held while a Record is sent, so that none is sent after Close
	closed bool
}

var _ Sink = (*Log)(nil)

// NewLog returns an Log that writes until it is closed. Lost Records are reported to the operator's own log.
// With nil Metrics, it counts nothing.
func NewLog(out io.Writer, log logr.Logger, metrics Metrics) *Log {
	if metrics == nil {
		metrics = NoMetrics{}
	}
	l := &Log{
		out: out, log: log, metrics: metrics,
		records: make(chan Record, maxUnwritten), done: make(chan struct{}),
	}
	go l.write()
	return l
}

// Record implements Sink.
func (l *Log) Record(r Record) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if !l.closed {
		select {
		case l.records <- r:
			return
		default:
		}
	}
	l.drop(1, "they come faster than they are written")
}

// Close stops the log. It waits up to closeTimeout until the remaining Records are written.
func (l *Log) Close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.records)
	}
	l.mu.Unlock()
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-l.done:
	case <-timer.C:
		l.drop(len(l.records), "the operator ends and what they are written to stands still")
	}
}

// drop counts lost Records, and reports them to the operator's log at most once per complainEvery.
func (l *Log) drop(n int, why string) {
	lost := l.lost.Add(int64(n))
	l.metrics.AuditDropped(n)
	now, last := time.Now().UnixNano(), l.complained.Load()
	if now-last > int64(complainEvery) && l.complained.CompareAndSwap(last, now) {
		l.log.Error(nil, "Audit records are lost", "lost", lost, "why", why)
	}
}

// write writes until the log is closed. It flushes the buffer when no more Records wait, or when the buffer is full.
func (l *Log) write() {
	defer close(l.done)
	var buffer bytes.Buffer
	lines := json.NewEncoder(&buffer)
	suppressed, reported := 0, int64(0)
	for r := range l.records {
		missing := l.lost.Swap(0)
		_ = lines.Encode(entry{Logger: logger, Record: &r, Dropped: missing}) // a Record always marshals
		suppressed, reported = suppressed+1, reported+missing
		if len(l.records) > 0 && buffer.Len() < writeBytes {
			continue
		}
		// Only whole lines are written, so that a rotated file ends with a whole line.
		if _, err := l.out.Write(buffer.Bytes()); err != nil {
			l.lost.Add(reported)
			l.drop(suppressed, err.Error())
		}
		buffer.Reset()
		suppressed, reported = 0, 0
	}
}
