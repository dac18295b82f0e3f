// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
)

const (
	// maxStatusMessage and maxStatusReason bound what is kept of a guest's own error, in bytes.
	maxStatusMessage = 4 << 10
	maxStatusReason  = 128
)

// GuestError makes a guest's own error from what it said: short, without what could forge lines of a log, and
// without the secrets.
func (r *Redactor) GuestError(export string, status abi.GuestStatus) *CallError {
	return &CallError{Kind: KindGuest, Export: export, Status: &metav1.Status{
		Message: r.shorten(status.Message, maxStatusMessage),
		Reason:  metav1.StatusReason(r.shorten(status.Reason, maxStatusReason)),
		Code:    status.Code,
	}}
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
