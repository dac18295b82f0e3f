// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// ReasonOf returns the reason of err, or of the Error that it wraps. It returns "" for other errors and for nil.
func ReasonOf(err error) Reason {
	if e := find(err); e != nil {
		return e.Reason
	}
	return ""
}

// find returns the Error that err is or wraps, or nil. It is errors.As for this one type, without reflection.
func find(err error) *Error {
	for err != nil {
		switch e := err.(type) { //nolint:errorlint // this is the unwrapping that errors.As would do
		case *Error:
			return e
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				if found := find(inner); found != nil {
					return found
				}
			}
			return nil
		default:
			return nil
		}
	}
	return nil
}

// IsNotFound reports whether the object does not exist.
func IsNotFound(err error) bool { return ReasonOf(err) == ReasonNotFound }

// IsAlreadyExists reports whether an object could not be created because one with that name exists.
func IsAlreadyExists(err error) bool { return ReasonOf(err) == ReasonAlreadyExists }

// IsConflict reports whether the object has changed since it was read, or an applied field is owned by another field
// manager.
func IsConflict(err error) bool { return ReasonOf(err) == ReasonConflict }

// IsForbidden reports whether the plugin lacks the permission for the request. The message names the layer that denied
// the request and the missing permission.
func IsForbidden(err error) bool { return ReasonOf(err) == ReasonForbidden }

// IsInvalid reports whether the API server rejected the object as invalid.
func IsInvalid(err error) bool { return ReasonOf(err) == ReasonInvalid }

// IsTooManyRequests reports whether the plugin, or all clients together, have sent too many requests.
func IsTooManyRequests(err error) bool { return ReasonOf(err) == ReasonTooManyRequests }

// IsTimeout reports whether a request timed out, in the API server or on the way to it.
func IsTimeout(err error) bool {
	reason := ReasonOf(err)
	return reason == ReasonTimeout || reason == ReasonServerTimeout
}

// IgnoreNotFound returns nil if the object does not exist, and err otherwise.
func IgnoreNotFound(err error) error {
	if IsNotFound(err) {
		return nil
	}
	return err
}

// code returns the HTTP status code of a reason, as in the Kubernetes API conventions.
func (r Reason) code() int32 {
	switch r {
	case ReasonBadRequest:
		return 400
	case ReasonUnauthorized:
		return 401
	case ReasonForbidden:
		return 403
	case ReasonNotFound:
		return 404
	case ReasonAlreadyExists, ReasonConflict:
		return 409
	case ReasonGone, ReasonExpired:
		return 410
	case ReasonRequestEntityTooLarge:
		return 413
	case ReasonInvalid:
		return 422
	case ReasonTooManyRequests:
		return 429
	case ReasonServiceUnavailable:
		return 503
	case ReasonTimeout, ReasonServerTimeout:
		return 504
	case ReasonInternalError:
		return 500
	default:
		return 0 // a custom reason
	}
}

// UnmarshalK1s decodes the details of a Status.
func (det *ErrorDetails) UnmarshalK1s(d *json.Decoder) {
	*det = ErrorDetails{}
	for name := range d.Members() {
		switch name {
		case "name":
			det.Name = d.String()
		case "group":
			det.Group = d.String()
		case "kind":
			det.Kind = d.String()
		case "uid":
			det.UID = d.String()
		case "retryAfterSeconds":
			det.RetryAfterSeconds = d.Int32()
		}
	}
}

// MarshalK1s encodes the details of a Status.
func (det *ErrorDetails) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	optional(e, "name", det.Name)
	optional(e, "group", det.Group)
	optional(e, "kind", det.Kind)
	optional(e, "uid", det.UID)
	if det.RetryAfterSeconds != 0 {
		e.Key("retryAfterSeconds").Int(int64(det.RetryAfterSeconds))
	}
	e.EndObject()
}
