// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
)

const (
	// maxStatusMessage and maxStatusReason are the maximum sizes, in bytes, of the message and the reason of an error
	// that a guest returns.
	maxStatusMessage = 4 << 10
	maxStatusReason  = 128
)

// GuestError converts an error that a guest returned to a CallError. It shortens the text, and removes secrets and
// everything that could forge log lines.
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

// printable replaces control characters by spaces.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
