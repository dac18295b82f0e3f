// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-logr/logr"
	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/k1s-io/k1s/internal/access/audit"
)

const (
	// auditStdout is the value of --audit-log for standard output.
	auditStdout = "-"
	// maxAuditMegabytes is the size at which a file of the audit log is rotated.
	maxAuditMegabytes = 100
	// maxAuditFiles is the number of rotated files that are kept.
	maxAuditFiles = 5
)

// auditLog opens the audit log that a flag names, and returns a function that closes it. If the flag is empty, there is
// no Audit.
func auditLog(to string, log logr.Logger, counts audit.Metrics) (audit.Sink, func() error, error) {
	var out io.Writer
	closeFile := func() error { return nil }
	switch to {
	case "":
		return nil, closeFile, nil
	case auditStdout:
		out = os.Stdout
	default:
		// Detect a wrong path at startup, not with the first record.
		f, err := os.OpenFile(to, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, nil, fmt.Errorf("open --audit-log: %w", err)
		}
		rotated := &lumberjack.Logger{Filename: to, MaxSize: maxAuditMegabytes, MaxBackups: maxAuditFiles}
		if err := f.Close(); err != nil {
			return nil, nil, fmt.Errorf("open --audit-log: %w", err)
		}
		out, closeFile = rotated, rotated.Close
	}
	l := audit.NewLog(out, log, counts)
	return l, func() error {
		l.Close()
		if err := closeFile(); err != nil && !errors.Is(err, os.ErrClosed) {
			return fmt.Errorf("close the audit log: %w", err)
		}
		return nil
	}, nil
}
