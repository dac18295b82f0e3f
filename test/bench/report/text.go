// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Text writes the table for a terminal.
func Text(w io.Writer, sections []Section) error {
	for _, s := range sections {
		if _, err := fmt.Fprintf(w, "\n%s\n", s.Title); err != nil {
			return err
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "  row\tseed's target\ttarget here\tmeasured\t\tin the same run")
		for _, r := range s.Rows {
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%s\n", r.What, dash(r.Seed), dash(r.target()), r.value(), r.verdict(), r.Peers)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		for _, r := range s.Rows {
			if remark := r.remark(); remark != "" {
				fmt.Fprintf(w, "  %s: %s: %s\n", r.verdict(), r.What, remark)
			}
		}
	}
	met, missed, skipped := count(sections)
	_, err := fmt.Fprintf(w, "\n%d targets met, %d missed, %d rows skipped\n", met, missed, skipped)
	return err
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func count(sections []Section) (met, missed, skipped int) {
	for _, s := range sections {
		for _, r := range s.Rows {
			switch r.verdict() {
			case "met":
				met++
			case "missed":
				missed++
			case "skipped":
				skipped++
			}
		}
	}
	return met, missed, skipped
}
