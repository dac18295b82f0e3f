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

	// clearLine goes back to the first column and erases what the last update wrote.
	clearLine = "\r\x1b[K"
)

// status is one moment of a build.
type status struct {
	name       string
	downloaded int // modules
	compiled   int // packages
	total      int // packages the program consists of; 0 until known
	elapsed    time.Duration
}

// String gives the status as a person reads it. The total is an upper bound:
// packages in the Go build cache are not compiled again.
func (s status) String() string {
	elapsed := s.elapsed.Truncate(time.Second)
	if s.total == 0 {
		return fmt.Sprintf("%s: resolving modules, %d downloaded, %s", s.name, s.downloaded, elapsed)
	}
	return fmt.Sprintf("%s: compiled %d of at most %d packages, %s", s.name, s.compiled, s.total, elapsed)
}

// progress shows the status of one build: one line that is rewritten on a
// terminal, a line now and then in a log.
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

// update shows an intermediate state.
func (p progress) update(s fmt.Stringer) {
	if p.terminal {
		fmt.Fprint(p.out, clearLine, s)
		return
	}
	fmt.Fprintln(p.out, s)
}

// line writes a line that stays.
func (p progress) line(format string, args ...any) {
	if p.terminal {
		fmt.Fprint(p.out, clearLine)
	}
	fmt.Fprintf(p.out, format+"\n", args...)
}

// watch shows current() at every interval until the returned function is called.
// That function returns after the last update, so that nothing overtakes what
// the caller writes next.
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
