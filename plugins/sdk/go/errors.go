// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Reason says in one word why something failed, as Kubernetes does. The API server may add to these.
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

// Error is an error of the API server or of the operator, and what a handler returns to choose the
// reason of its own. It travels as a Kubernetes Status.
type Error struct {
	Reason  Reason
	Message string
	// Code is the HTTP status code, or 0 when none is known.
	Code int32
	// Details say what the error is about, where that is known.
	Details ErrorDetails
}

// ErrorDetails say what an Error is about. All members may be empty.
type ErrorDetails struct {
	Name, Group, Kind, UID string
	// RetryAfterSeconds is how long to wait before the next try; 0 means that nothing was said.
	RetryAfterSeconds int32
}

// NewError returns an Error with the code that belongs to the reason; a reason that is not one of the above has
// none.
func NewError(reason Reason, message string) *Error {
	return &Error{Reason: reason, Message: message, Code: reason.code()}
}

// Invalid returns an error that is not retried until the object changes: for a spec that cannot be
// carried out however often it is tried.
func Invalid(message string) error { return NewError(ReasonInvalid, message) }

// Error returns the message, or the reason if there is none.
func (e *Error) Error() string {
	if e.Message == "" {
		return string(e.Reason)
	}
	return e.Message
}

// UnmarshalK1s reads a Status.
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

// MarshalK1s writes a Status.
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

// maxMessage is how much of a message is sent, in bytes: the operator keeps 4 KiB, and takes no error above 64 KiB.
const maxMessage = 8 << 10

// statusOf returns any error as a Status. An Error that is wrapped keeps its reason and details, and
// the message tells all, up to maxMessage.
func statusOf(err error) []byte {
	status := Error{Reason: ReasonInternalError, Code: ReasonInternalError.code()}
	if inner := find(err); inner != nil {
		status = *inner
	}
	status.Message = cut(err.Error(), maxMessage)
	text, _ := json.Marshal(&status) // nothing in it can fail
	return text
}
