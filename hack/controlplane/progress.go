// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

const (
	terminalInterval = 250 * time.Millisecond
	logInterval      = 30 * time.Second

	// clearLine moves the cursor to the first column and erases the last update.
	clearLine = "\r\x1b[K"
)

// status is the state of a build at one moment.
type status struct {
	name       string
	downloaded int // modules
	compiled   int // packages
	total      int // packages of the program, 0 if not known yet
	elapsed    time.Duration
}

// String returns the status for people. The total is an upper bound, because packages in the Go build cache are not
// compiled.
func (s status) String() string {
	elapsed := s.elapsed.Truncate(time.Second)
	if s.total == 0 {
		return fmt.Sprintf("%s: resolving modules, %d downloaded, %s", s.name, s.downloaded, elapsed)
	}
	return fmt.Sprintf("%s: compiled %d of at most %d packages, %s", s.name, s.compiled, s.total, elapsed)
}

// progress prints the status of one build: on a terminal as one line that is rewritten, in a log as a line from time to
// time.
type progress struct {
	out      io.Writer
	terminal bool
}

func newProgress(out io.Writer) progress {
	return progress{out: out, terminal: isTerminal(out)}
}

func (p progress) interval() time.Duration {
	if p.terminal {
		return terminalInterval
	}
	return logInterval
}

// update prints an intermediate status.
func (p progress) update(s fmt.Stringer) {
	if p.terminal {
		fmt.Fprint(p.out, clearLine, s)
		return
	}
	fmt.Fprintln(p.out, s)
}

// line prints a line that is not rewritten.
func (p progress) line(format string, args ...any) {
	if p.terminal {
		fmt.Fprint(p.out, clearLine)
	}
	fmt.Fprintf(p.out, format+"\n", args...)
}

// watch prints current() at every interval until the returned function is called. That function returns after the last
// update, so that no update follows what the caller writes next.
func (p progress) watch(current func() status) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(p.interval())
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				p.update(current())
			}
		}
	}()
	return func() { close(done); <-ended }
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
