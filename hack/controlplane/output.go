// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"sync"
)

// keptLines is the maximum number of output lines of a failed command in an error.
const keptLines = 60

// output receives the standard error of a go command, counts its progress and keeps the other lines for an error
// message. It is safe for concurrent use.
type output struct {
	mu         sync.Mutex
	partial    []byte
	kept       []string
	downloaded int
	compiled   int
}

// Write implements io.Writer. It never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.partial = append(o.partial, p...)
	for {
		i := bytes.IndexByte(o.partial, '\n')
		if i < 0 {
			return len(p), nil
		}
		o.line(strings.TrimSuffix(string(o.partial[:i]), "\r"))
		o.partial = o.partial[i+1:]
	}
}

func (o *output) line(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		o.downloaded++
	case isPackage(line):
		o.compiled++
	default:
		o.kept = append(o.kept, line)
		if len(o.kept) > keptLines {
			o.kept = o.kept[1:]
		}
	}
}

// counts returns the numbers of modules downloaded and packages compiled so far.
func (o *output) counts() (downloaded, compiled int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.downloaded, o.compiled
}

// text returns the last lines that are not progress, at most keptLines.
func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := o.kept
	if len(o.partial) > 0 {
		lines = append(lines[:len(lines):len(lines)], string(o.partial))
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// isPackage reports whether a line is the name of a package, as "go build -v" prints it for each package that it
// compiles, and not a message about a package.
func isPackage(line string) bool {
	return line != "" && !strings.ContainsAny(line, " \t:#")
}
