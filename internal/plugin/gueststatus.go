// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/text"
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
		Message: text.Printable(r.Truncate(status.Message, maxStatusMessage)),
		Reason:  metav1.StatusReason(text.Printable(r.Truncate(status.Reason, maxStatusReason))),
		Code:    status.Code,
	}}
}
