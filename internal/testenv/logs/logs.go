// SPDX-License-Identifier: Apache-2.0

// Package logs implements a log that tests read.
package logs

import (
	"slices"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
)

// Recorder records the lines of a log.
type Recorder struct {
	// Verbosity is the highest level that is recorded.
	Verbosity int

	mu    sync.Mutex
	lines []string
}

// Logger returns the logger whose lines are recorded.
func (r *Recorder) Logger() logr.Logger {
	return funcr.New(func(name, line string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.lines = append(r.lines, strings.TrimPrefix(name+" "+line, " "))
	}, funcr.Options{Verbosity: r.Verbosity})
}

// Lines returns the lines so far, each with the name of its logger.
func (r *Recorder) Lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}

// Count counts the lines that contain a text.
func (r *Recorder) Count(text string) int {
	return len(slices.DeleteFunc(r.Lines(), func(line string) bool { return !strings.Contains(line, text) }))
}
