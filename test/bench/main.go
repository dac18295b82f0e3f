// SPDX-License-Identifier: Apache-2.0

// Command bench measures k1s against its targets and against alternatives in one run: `make bench`. It prints a table,
// and writes docs/benchmarks.md and bin/bench.json. It reports its progress on standard error.
//
// A row of the table is an entry in one of the rows_*.go files, or in another file of its topic; the function sections
// in rows.go collects them. The subjects, which subjects.go creates by name, are measured in rounds, so that they can
// be compared. A row measures by itself what cannot be measured in rounds.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/k1s-io/k1s/test/bench/peer"
	"github.com/k1s-io/k1s/test/bench/report"
)

func main() { os.Exit(benchMain()) }

// benchMain returns the exit code after all deferred calls have run.
func benchMain() int {
	if peer.ServeGoPlugin() {
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ran, err := runChild(ctx)
	if !ran {
		err = bench(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}

func bench(ctx context.Context) (err error) {
	root := flag.String("root", ".", "the repository")
	rowNames := flag.String("rows", "", "measure only the rows whose names match this regular expression, and write no files")
	list := flag.Bool("list", false, "print the names of the rows")
	turn := flag.Duration("turn", 100*time.Millisecond, "how long each subject has in a round")
	flag.Parse()
	names, err := regexp.Compile(*rowNames)
	if err != nil {
		return fmt.Errorf("ROWS: %w", err)
	}
	picked := pick(sections(), names)
	if *list {
		for _, s := range picked {
			for _, r := range s.rows {
				fmt.Println(r.name)
			}
		}
		return nil
	}
	if len(picked) == 0 {
		return fmt.Errorf("no row's name matches %q: see -list", *rowNames)
	}
	s, err := newSession(ctx, *root, filepath.Join(*root, "bin", "bench"), *turn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	machine := report.ThisMachine(*root)
	results, err := run(s, picked)
	if err != nil {
		return err
	}
	if err := report.Text(os.Stdout, results); err != nil {
		return err
	}
	if *rowNames != "" {
		return nil
	}
	var markdown, figures bytes.Buffer
	if err := errors.Join(report.Markdown(&markdown, machine, results), report.JSON(&figures, results)); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(*root, "docs", "benchmarks.md"), markdown.Bytes(), 0o644),
		os.WriteFile(filepath.Join(*root, "bin", "bench.json"), figures.Bytes(), 0o644),
	)
}
