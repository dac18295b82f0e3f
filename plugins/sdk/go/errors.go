// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Reason is the machine-readable reason of an error, as in Kubernetes. The API server may use other reasons than these.
type Reason string

// The reasons.
const (
	ReasonBadRequest            Reason = "BadRequest"
	ReasonUnauthorized          Reason = "Unauthorized"
	ReasonForbidden             Reason = "Forbidden"
	ReasonNotFound              Reason = "NotFound"
	ReasonAlreadyExists         Reason = "AlreadyExists"
	ReasonConflict              Reason = "Conflict"
	ReasonGone                  Reason = "Gone"
	ReasonExpired               Reason = "Expired"
	ReasonInvalid               Reason = "Invalid"
	ReasonRequestEntityTooLarge Reason = "RequestEntityTooLarge"
	ReasonTooManyRequests       Reason = "TooManyRequests"
	ReasonTimeout               Reason = "Timeout"
	ReasonServerTimeout         Reason = "ServerTimeout"
	ReasonServiceUnavailable    Reason = "ServiceUnavailable"
	ReasonInternalError         Reason = "InternalError"
)

// Error is an error of the API server or of the operator. A handler returns one to choose the reason of its own error.
// It is sent as a Kubernetes Status.
type Error struct {
	Reason  Reason
	Message string
	// Code is the HTTP status code, or 0 if it is unknown.
	Code int32
	// Details identify the object of the error, if it is known.
	Details ErrorDetails
}

// ErrorDetails identify the object of an Error. All members may be empty.
type ErrorDetails struct {
	Name, Group, Kind, UID string
	// RetryAfterSeconds is how long to wait before a retry. 0 means that it is not set.
	RetryAfterSeconds int32
}

// NewError returns an Error with the code that belongs to the reason. The code is 0 if the reason is not one of the
// above.
func NewError(reason Reason, message string) *Error {
	return &Error{Reason: reason, Message: message, Code: reason.code()}
}

// Invalid returns an error that is not retried until the object changes. It is for a spec for which every retry would
// fail.
func Invalid(message string) error { return NewError(ReasonInvalid, message) }

// Error returns the message, or the reason if there is none.
func (e *Error) Error() string {
	if e.Message == "" {
		return string(e.Reason)
	}
	return e.Message
}

// UnmarshalK1s decodes a Status.
func (e *Error) UnmarshalK1s(d *json.Decoder) {
	*e = Error{}
	for name := range d.Members() {
		switch name {
		case "reason":
			e.Reason = Reason(d.String())
		case "message":
			e.Message = d.String()
		case "code":
			e.Code = d.Int32()
		case "details":
			e.Details.UnmarshalK1s(d)
		}
	}
}

// MarshalK1s encodes a Status.
func (e *Error) MarshalK1s(w *json.Encoder) {
	w.BeginObject()
	TypeReference{APIVersion: "v1", Kind: "Status"}.WriteMembers(w)
	w.Key("status").String("Failure")
	if e.Code != 0 {
		w.Key("code").Int(int64(e.Code))
	}
	w.Key("reason").String(string(e.Reason))
	w.Key("message").String(e.Message)
	if e.Details != (ErrorDetails{}) {
		w.Key("details").Value(&e.Details)
	}
	w.EndObject()
}

// maxMessage is the maximum size of a message that is sent, in bytes. The operator keeps 4 KiB, and accepts no error
// larger than 64 KiB.
const maxMessage = 8 << 10

// statusOf encodes any error as a Status. A wrapped Error keeps its reason and details. The message contains all text,
// up to maxMessage.
func statusOf(err error) []byte {
	status := Error{Reason: ReasonInternalError, Code: ReasonInternalError.code()}
	if inner := find(err); inner != nil {
		status = *inner
	}
	status.Message = cut(err.Error(), maxMessage)
	text, _ := json.Marshal(&status) // encoding it cannot fail
	return text
}
