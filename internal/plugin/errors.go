// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrNoRevision means that no revision of the plugin is loaded.
var ErrNoRevision = errors.New("no revision of the plugin is loaded")

// Kind is the kind of failure of a call.
type Kind string

// The kinds of call errors.
const (
	// KindGuest means that the guest returned an error. The instance stays usable.
	KindGuest Kind = "Guest"
	// KindTrap means that the guest trapped.
	KindTrap Kind = "Trap"
	// KindTimeout means that the call exceeded its deadline or was canceled.
	KindTimeout Kind = "Timeout"
	// KindFuel means that the call used up its fuel.
	KindFuel Kind = "Fuel"
	// KindExit means that the guest called proc_exit.
	KindExit Kind = "Exit"
	// KindViolation means that the guest violated the ABI.
	KindViolation Kind = "Violation"
	// KindInput means that the host could not encode the call's input.
	KindInput Kind = "Input"
	// KindInstance means that no instance could be created or acquired for the call.
	KindInstance Kind = "Instance"
	// KindClosed means that the revision was closed before or during the call.
	KindClosed Kind = "Closed"
	// KindUnavailable means that the guest was not called, because the circuit breaker is open after too many failures.
	KindUnavailable Kind = "Unavailable"
)

// Kinds returns all kinds of call errors.
func Kinds() []Kind {
	return []Kind{
		KindGuest, KindTrap, KindTimeout, KindFuel, KindExit, KindViolation, KindInput, KindInstance, KindClosed,
		KindUnavailable,
	}
}

// CallError is a failed call.
type CallError struct {
	Kind   Kind
	Export string
	// Status is the guest's own error, for KindGuest.
	Status *metav1.Status
	// Err is the cause, for the other kinds.
	Err error
	// RetryAfter is the time until another call may be let through, for KindUnavailable.
	RetryAfter time.Duration
}

// Error returns a message that names the export, the kind and the cause.
func (e *CallError) Error() string {
	if e.Status != nil {
		reason := e.Status.Reason
		if reason == metav1.StatusReasonUnknown {
			reason = "Unknown"
		}
		return fmt.Sprintf("guest %s answered %s: %s", e.Export, reason, e.Status.Message)
	}
	return fmt.Sprintf("guest %s: %s: %v", e.Export, e.Kind, e.Err)
}

// Unwrap returns the cause.
func (e *CallError) Unwrap() error { return e.Err }

// KindOf returns the kind of a call error, or "" for another error.
func KindOf(err error) Kind {
	var call *CallError
	if errors.As(err, &call) {
		return call.Kind
	}
	return ""
}

// IsInvalid reports whether a guest returned an error with the reason Invalid. Such a call is not worth a retry before
// something changes.
func IsInvalid(err error) bool {
	var call *CallError
	return errors.As(err, &call) && call.Status != nil && call.Status.Reason == metav1.StatusReasonInvalid
}

// Ended reports whether the caller canceled a call or its deadline has passed. A deadline that has passed counts even
// if the context's timer has not fired yet: if the call was stopped at that moment, the guest is not to blame.
func Ended(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// IsFault reports whether a call failed because of the module. An error that the guest returned is not a fault, and
// neither is a call that the caller or the operator ended.
func IsFault(err error) bool {
	switch KindOf(err) {
	case KindTrap, KindTimeout, KindFuel, KindExit, KindViolation, KindInstance:
		return true
	default:
		return false
	}
}

// RetryAfter returns how long to wait before retrying a call that the circuit breaker did not let through. It returns 0
// for every other error.
func RetryAfter(err error) time.Duration {
	var call *CallError
	if errors.As(err, &call) && call.Kind == KindUnavailable {
		return call.RetryAfter
	}
	return 0
}

// LoadError is the error of a module that cannot be loaded as a revision.
type LoadError struct {
	// Reason is a condition reason of the WasmPlugin API.
	Reason string
	// Message says what is wrong and how to fix it.
	Message string
	// Err is the cause; it may be nil.
	Err error
}

// Error returns the message, followed by the cause.
func (e *LoadError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Message, e.Err)
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *LoadError) Unwrap() error { return e.Err }

// Reject returns a LoadError with a formatted message.
func Reject(reason, format string, args ...any) *LoadError {
	return &LoadError{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
