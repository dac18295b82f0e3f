// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"cmp"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/text"
)

// maxDenial limits a guest's message and reason, in bytes.
const (
	maxDenialMessage = 16 << 10
	maxDenialReason  = abi.MaxWarning
)

// denials maps the codes of denials to their reasons. The API server passes on any code and reason of a webhook, and
// clients give other codes their usual meaning: 404 for an object that does not exist, 410 for a list that has to be
// read again, 401 for a token that has expired.
var denials = map[int32]metav1.StatusReason{
	http.StatusForbidden:           metav1.StatusReasonForbidden,
	http.StatusConflict:            metav1.StatusReasonConflict,
	http.StatusUnprocessableEntity: metav1.StatusReasonInvalid,
}

// codesOfReasons maps the reasons that clients know to codes, for codes other than 403.
var codesOfReasons = map[metav1.StatusReason]int32{
	metav1.StatusReasonInvalid:               http.StatusUnprocessableEntity,
	metav1.StatusReasonBadRequest:            http.StatusUnprocessableEntity,
	metav1.StatusReasonRequestEntityTooLarge: http.StatusUnprocessableEntity,
	metav1.StatusReasonConflict:              http.StatusConflict,
	metav1.StatusReasonAlreadyExists:         http.StatusConflict,
}

// knownReasons are the other reasons that clients know. A guest's own reason is kept, because clients then use the
// code.
var knownReasons = map[metav1.StatusReason]bool{
	metav1.StatusReasonUnknown: true, metav1.StatusReasonUnauthorized: true, metav1.StatusReasonForbidden: true,
	metav1.StatusReasonNotFound: true, metav1.StatusReasonGone: true, metav1.StatusReasonExpired: true,
	metav1.StatusReasonMethodNotAllowed: true, metav1.StatusReasonNotAcceptable: true,
	metav1.StatusReasonUnsupportedMediaType: true, metav1.StatusReasonStoreReadError: true,
}

// denial returns the Status that a client gets if a guest denies the request. A guest need not set a code or a reason.
func denial(message *metav1.Status) *metav1.Status {
	code := denialCode(message.Code, message.Reason)
	reason := message.Reason
	if _, ok := codesOfReasons[reason]; ok || knownReasons[reason] {
		reason = denials[code]
	}
	return &metav1.Status{
		Status: metav1.StatusFailure, Code: code, Reason: metav1.StatusReason(text.Truncate(string(reason), maxDenialReason)),
		Message: text.Truncate(cmp.Or(message.Message, "the plugin gives no reason"), maxDenialMessage),
	}
}

// denialCode returns 403, 409 or 422: the guest's own code if it is one of them, otherwise the closest to its code or
// its reason.
func denialCode(code int32, reason metav1.StatusReason) int32 {
	if _, ok := denials[code]; ok {
		return code
	}
	switch code {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return http.StatusUnprocessableEntity
	default:
		return cmp.Or(codesOfReasons[reason], http.StatusForbidden)
	}
}
