// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"

	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/logs"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

func exampleRecord() Record {
	return Record{
		Time: time.Date(2026, 11, 23, 8, 30, 0, 123456000, time.UTC), Plugin: "shop/pricing", Revision: "sha256:0a1b2c",
		Account: "system:serviceaccount:shop:pricing", Verb: "patch", Group: "inventory.example.com", Resource: "items",
		Subresource: "status", Namespace: "shop", Name: "hammer", Decision: DecisionDenied, Layer: LayerAPIServer, Reason: "Forbidden",
		LatencyMicros: 1830,
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := NewLog(&out, logr.Discard(), nil)
	const n = 1000
	for i := range n {
		r := exampleRecord()
		r.LatencyMicros = int64(i)
		l.Record(r)
	}
	l.Close()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != n {
		t.Fatalf("%d lines of %d records", len(lines), n)
	}
	for i, line := range lines {
		var got struct {
			Logger string `json:"logger"`
			Record
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		want := exampleRecord()
		want.LatencyMicros = int64(i)
		if diff := cmp.Diff(want, got.Record); diff != "" || got.Logger != "audit" {
			t.Fatalf("line %d (-want +got):\n%s", i, diff)
		}
	}
}

// blockedWriter is a Writer that blocks until it is released, and may fail.
type blockedWriter struct {
	wait chan struct{}

	mu   sync.Mutex
	fail error
	out  bytes.Buffer
}

func (s *blockedWriter) Write(p []byte) (int, error) {
	<-s.wait
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return 0, s.fail
	}
	return s.out.Write(p)
}

func (s *blockedWriter) failWith(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// accounts counts what a log contains: its records, and those that it reports as lost.
func (s *blockedWriter) accounts(t *testing.T) (written, dropped int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(s.out.String()) {
		var l entry
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		written, dropped = written+1, dropped+int(l.Dropped)
	}
	return written, dropped
}

// drops counts lost records.
type drops struct {
	NoMetrics

	mu sync.Mutex
	n  int
}

func (d *drops) AuditDropped(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.n += n
}

// TestLog_blockedSink checks that Record never blocks, and that no record is unaccounted for.
func TestLog_blockedSink(t *testing.T) {
	t.Parallel()
	out, counts := &blockedWriter{wait: make(chan struct{})}, &drops{}
	var complaints logs.Recorder
	l := NewLog(out, complaints.Logger(), counts)
	const n = maxUnwritten + 5000
	for range n { // it would never end if one blocked
		l.Record(exampleRecord())
	}
	close(out.wait)
	testenv.Eventually(t, "what waited is written", func(context.Context) error {
		if left := len(l.records); left > 0 {
			return fmt.Errorf("%d are not", left)
		}
		return nil
	})
	l.Record(exampleRecord())
	l.Close()
	written, dropped := out.accounts(t)
	if written+dropped != n+1 || dropped == 0 || dropped != counts.n {
		t.Errorf("%d records: %d are written, %d missing according to the log and %d to the metric", n+1, written, dropped, counts.n)
	}
	if lines := complaints.Lines(); len(lines) != 1 || !strings.Contains(lines[0], "Audit records are lost") {
		t.Errorf("the operator's log says %q, want it once", lines)
	}
	l.Record(exampleRecord()) // after Close
	if counts.n != dropped+1 {
		t.Error("one that came after the end is lost silently")
	}
}

// TestLog_writeFails checks that records that could not be written are reported in the next line that is written.
func TestLog_writeFails(t *testing.T) {
	t.Parallel()
	out, counts := &blockedWriter{wait: make(chan struct{})}, &drops{}
	close(out.wait)
	out.failWith(errors.New("no space left on device"))
	l := NewLog(out, logr.Discard(), counts)
	const n = 50
	for range n {
		l.Record(exampleRecord())
	}
	testenv.Eventually(t, "all are lost", func(context.Context) error {
		counts.mu.Lock()
		defer counts.mu.Unlock()
		if counts.n != n {
			return fmt.Errorf("%d are", counts.n)
		}
		return nil
	})
	out.failWith(nil)
	l.Record(exampleRecord())
	l.Close()
	if written, dropped := out.accounts(t); written != 1 || dropped != n {
		t.Errorf("%d are written and %d missing, want 1 and %d", written, dropped, n)
	}
}

// TestLog_documented compares docs/audit.md with the code: the fields in their order, the values that a program
// may look for, and the example.
func TestLog_documented(t *testing.T) {
	t.Parallel()
	text := testfile.Read(t, testenv.Root(), "docs", "audit.md")
	row := regexp.MustCompile("(?m)^\\| `([a-zA-Z]+)` \\|")
	rows := func(text string) (names []string) {
		for _, m := range row.FindAllStringSubmatch(text, -1) {
			names = append(names, m[1])
		}
		return names
	}
	documented, afterwards, ok := strings.Cut(string(text), "\nLayers, in the order")
	if !ok {
		t.Fatal("docs/audit.md has no table of layers")
	}
	var fields []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[entry]()) {
		if tag, ok := f.Tag.Lookup("json"); ok {
			name, _, _ := strings.Cut(tag, ",")
			fields = append(fields, name)
		}
	}
	if diff := cmp.Diff(fields, rows(documented)); diff != "" {
		t.Errorf("the table of fields (-code +docs):\n%s", diff)
	}
	layers := []string{LayerCapability, LayerAllowlist, LayerRBAC, LayerRate, LayerLimit, LayerAddress, LayerAPIServer}
	if diff := cmp.Diff(layers, rows(afterwards)); diff != "" {
		t.Errorf("the table of layers (-code +docs):\n%s", diff)
	}
	for _, value := range []string{DecisionAllowed, DecisionDenied, DecisionError, ReasonNoAnswer} {
		if !strings.Contains(string(text), "`"+value+"`") {
			t.Errorf("docs/audit.md does not explain %q", value)
		}
	}
	r := exampleRecord()
	line, err := json.Marshal(entry{Logger: logger, Record: &r})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(strings.Split(string(text), "\n"), string(line)) {
		t.Errorf("docs/audit.md has another example than\n%s", line)
	}
}
