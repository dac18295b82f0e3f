// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// maxStatusMessage and maxStatusReason bound what is kept of a guest's own error, in bytes.
	maxStatusMessage = 4 << 10
	maxStatusReason  = 128
)

// GuestError makes a guest's own error from what it said: short, without what could forge lines of a log, and
// without the secrets.
func (r *Redactor) GuestError(export string, status metav1.Status) *CallError {
	status.Message = r.shorten(status.Message, maxStatusMessage)
	status.Reason = metav1.StatusReason(r.shorten(string(status.Reason), maxStatusReason))
	if d := status.Details; d != nil {
		d = d.DeepCopy()
		d.Name, d.Group, d.Kind = r.Text(d.Name), r.Text(d.Group), r.Text(d.Kind)
		for i := range d.Causes {
			c := &d.Causes[i]
			c.Type, c.Message, c.Field = metav1.CauseType(r.Text(string(c.Type))), r.Text(c.Message), r.Text(c.Field)
		}
		status.Details = d
	}
	return &CallError{Kind: KindGuest, Export: export, Status: &status}
}

func (r *Redactor) shorten(text string, limit int) string {
	short := printable(r.Cut(text, limit))
	if len(text) > limit {
		return short + "…"
	}
	return short
}

// printable makes control characters spaces.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
