// SPDX-License-Identifier: Apache-2.0

package tracing

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	coltracev1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"

	"github.com/k1s-io/k1s/internal/plugin"
)

func TestSetup_environment(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		on   bool
		err  string // part of the error
	}{
		{name: "nothing", env: map[string]string{}},
		{name: "an endpoint", env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317"}, on: true},
		{name: "an endpoint for spans", env: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4317"}, on: true},
		{name: "only the exporter", env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, on: true},
		{name: "none", env: map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317"}},
		{name: "disabled", env: map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}},
		{name: "another exporter", env: map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, err: `OTEL_TRACES_EXPORTER is "zipkin"`},
		{
			name: "another protocol", err: `OTEL_EXPORTER_OTLP_PROTOCOL is "http/protobuf"`,
			env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
		},
		{
			name: "another protocol for other signals", on: true,
			env: map[string]string{
				"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tracer, end, err := Setup(t.Context(), func(name string) string { return tt.env[name] }, logr.Discard())
			if (tracer != nil) != tt.on {
				t.Errorf("there is a tracer: %v, want %v", tracer != nil, tt.on)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			if err := end(t.Context()); err != nil {
				t.Errorf("end: %v", err)
			}
		})
	}
}

// collector is an OTLP receiver.
type collector struct {
	coltracev1.UnimplementedTraceServiceServer
	got chan *coltracev1.ExportTraceServiceRequest
}

func (c *collector) Export(_ context.Context, req *coltracev1.ExportTraceServiceRequest) (*coltracev1.ExportTraceServiceResponse, error) {
	c.got <- req
	return &coltracev1.ExportTraceServiceResponse{}, nil
}

// The last spans arrive when the operator stops.
func TestSetup_export(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{got: make(chan *coltracev1.ExportTraceServiceRequest, 10)}
	server := grpc.NewServer()
	coltracev1.RegisterTraceServiceServer(server, c)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String()) // http means without TLS
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "k8s.cluster.name=test")
	tracer, end, err := Setup(t.Context(), os.Getenv, logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	host := tracer.Host(revision(), cluster{})
	runner := tracer.Runner(revision(), guest(func(ctx context.Context, _ plugin.Call) ([]byte, error) { return host.Get(ctx, tools()) }))
	if _, err := runner.Call(t.Context(), plugin.Call{Export: "reconcile", Object: tools()}); err != nil {
		t.Fatal(err)
	}
	if err := end(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case req := <-c.got:
		text := req.String()
		for _, part := range []string{`"guest reconcile"`, `"host k1s_client_get"`, `"shop/tags"`, `"k1s"`, `"k8s.cluster.name"`, `"tools"`} {
			if !strings.Contains(text, part) {
				t.Errorf("%s is not in %s", part, text)
			}
		}
	default:
		t.Error("nothing has arrived")
	}
}

// A collector that does not respond delays the stop of the operator only for a limited time.
func TestSetup_collectorHangs(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // nothing accepts connections
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	tracer, end, err := setup(t.Context(), os.Getenv, logr.Discard(), 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	runner := tracer.Runner(revision(), guest(func(context.Context, plugin.Call) ([]byte, error) { return nil, nil }))
	if _, err := runner.Call(t.Context(), plugin.Call{Export: "reconcile"}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- end(context.WithoutCancel(t.Context())) }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the spans are said to have arrived")
		}
	case <-time.After(time.Minute):
		t.Error("it does not end")
	}
}
