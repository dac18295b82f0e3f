// SPDX-License-Identifier: Apache-2.0

// Package tracing makes OpenTelemetry spans of guest calls, and below them of what the guest asks the
// cluster for. It is configured by OpenTelemetry's own environment variables alone. Without an exporter
// there is no Tracer, and nothing is wrapped: it costs nothing then.
package tracing
