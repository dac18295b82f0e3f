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

// NewGuestError makes a guest's own error from what it said: short, and without what could forge lines
// of a log.
func NewGuestError(export string, status metav1.Status) *CallError {
	status.Message = shorten(status.Message, maxStatusMessage)
	status.Reason = metav1.StatusReason(shorten(string(status.Reason), maxStatusReason))
	return &CallError{Kind: KindGuest, Export: export, Status: &status}
}

func shorten(text string, limit int) string {
	if len(text) > limit {
		return printable(text[:limit]) + "…"
	}
	return printable(text)
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
