// SPDX-License-Identifier: Apache-2.0

// Package tracing implements OpenTelemetry spans of guest calls, with child spans of the guest's host function calls.
// It is configured only by the standard OpenTelemetry environment variables. If no exporter is configured, there is no
// Tracer, nothing is wrapped, and tracing costs nothing.
package tracing
