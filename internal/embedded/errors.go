// SPDX-License-Identifier: Apache-2.0

package embedded

import "fmt"

// Error is an error without details. Compare it with errors.Is.
type Error string

// Error returns the text.
func (e Error) Error() string { return string(e) }

const (
	// ErrNotRunning means that the controller has no queue to put requests into.
	ErrNotRunning = Error("the controller is not running")
	// ErrAlreadyRunning means that the controller was started before and has not been stopped.
	ErrAlreadyRunning = Error("the controller is already running")
	// ErrStopped means that the controller was stopped before it had started.
	ErrStopped = Error("the controller was stopped")
)

// ConfigError is a configuration that cannot be used.
type ConfigError struct {
	// Field is the field's name.
	Field string
	// Problem says what is wrong with it.
	Problem string
}

// Error names the field and the problem.
func (e *ConfigError) Error() string { return fmt.Sprintf("config: %s %s", e.Field, e.Problem) }

// DuplicateError is the error for a controller whose name is registered already.
type DuplicateError struct {
	// Name is the name of both controllers.
	Name string
}

// Error names the controllers.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("an embedded controller named %q is already registered", e.Name)
}
