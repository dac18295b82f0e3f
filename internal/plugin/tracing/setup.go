// SPDX-License-Identifier: Apache-2.0

package tracing

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// flushTimeout is the maximum time for exporting the remaining spans when the operator stops.
const flushTimeout = 5 * time.Second

// Setup reads the environment. It returns a Tracer, or nil if no exporter is configured, and a function that exports
// the remaining spans within a limited time. The SDK and the exporter read all other settings (headers, certificates,
// samplers, batches) from their own variables.
func Setup(ctx context.Context, getenv func(string) string, log logr.Logger) (*Tracer, func(context.Context) error, error) {
	return setup(ctx, getenv, log, flushTimeout)
}

// setup is Setup with a custom flushTimeout.
func setup(ctx context.Context, getenv func(string) string, log logr.Logger, flushTimeout time.Duration) (*Tracer, func(context.Context) error, error) {
	none := func(context.Context) error { return nil }
	on, err := enabled(getenv)
	if err != nil || !on {
		return nil, none, err
	}
	// The exporter connects when there are spans, so an unavailable collector does not keep the operator from starting.
	exporter, err := otlptracegrpc.New(ctx)
	if err != nil {
		return nil, none, fmt.Errorf("make the OTLP exporter: %w", err)
	}
	about, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "k1s")),
		resource.WithFromEnv(), // after ours, so that OTEL_SERVICE_NAME overrides the name
	)
	if err != nil {
		return nil, none, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	// The exporter can report errors only here. By default it would write to the standard logger.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Error(err, "Cannot send spans") }))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	return New(provider), func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, flushTimeout)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			return fmt.Errorf("send the last spans: %w", err)
		}
		return nil
	}, nil
}

// enabled reports whether the environment enables tracing.
func enabled(getenv func(string) string) (bool, error) {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	endpoint := getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") + getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	switch exporter := getenv("OTEL_TRACES_EXPORTER"); {
	case exporter == "none", exporter == "" && endpoint == "":
		return false, nil
	case exporter != "" && exporter != "otlp":
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is %q: set it to otlp or none", exporter)
	}
	protocol := cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "grpc")
	if protocol != "grpc" {
		return false, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q: set it to grpc, and the endpoint to the collector's gRPC port (4317)", protocol)
	}
	return true, nil
}
