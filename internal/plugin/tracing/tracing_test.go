// SPDX-License-Identifier: Apache-2.0

package tracing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// guest is a Runner that calls a function.
type guest func(ctx context.Context, call plugin.Call) ([]byte, error)

func (g guest) Call(ctx context.Context, call plugin.Call) ([]byte, error) { return g(ctx, call) }
func (guest) Close(context.Context) error                                  { return nil }

// cluster is a Host that returns the same error to every request.
type cluster struct{ err error }

func (c cluster) Get(context.Context, abi.ObjectKey) ([]byte, error)    { return []byte("{}"), c.err }
func (c cluster) List(context.Context, abi.ListRequest) ([]byte, error) { return []byte("{}"), c.err }
func (c cluster) Create(context.Context, abi.WriteRequest) ([]byte, error) {
	return []byte("{}"), c.err
}
func (c cluster) Update(context.Context, abi.WriteRequest) ([]byte, error) {
	return []byte("{}"), c.err
}
func (c cluster) UpdateStatus(context.Context, abi.WriteRequest) ([]byte, error) {
	return []byte("{}"), c.err
}
func (c cluster) Patch(context.Context, abi.PatchRequest) ([]byte, error) { return []byte("{}"), c.err }
func (c cluster) PatchStatus(context.Context, abi.PatchRequest) ([]byte, error) {
	return []byte("{}"), c.err
}
func (c cluster) Apply(context.Context, abi.ApplyRequest) ([]byte, error) { return []byte("{}"), c.err }
func (c cluster) Delete(context.Context, abi.DeleteRequest) error         { return c.err }
func (c cluster) Event(context.Context, abi.EventRequest) error           { return c.err }
func (c cluster) HTTP(context.Context, abi.HTTPRequest) ([]byte, error)   { return []byte("{}"), c.err }

func revision() plugin.Revision {
	return plugin.Revision{Plugin: "shop/tags", Digest: plugin.DigestOf(nil)}
}

func tools() abi.ObjectKey {
	return abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "tools"}
}

// newTracer returns a Tracer and the exporter that receives its spans.
func newTracer() (*Tracer, *tracetest.InMemoryExporter) {
	exporter := tracetest.NewInMemoryExporter()
	return New(sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))), exporter
}

// about returns a span's attributes.
func about(span tracetest.SpanStub) map[string]string {
	out := map[string]string{}
	for _, a := range span.Attributes {
		out[string(a.Key)] = a.Value.String()
	}
	return out
}

// with returns the attributes that every span of the revision has, and more.
func with(more map[string]string) map[string]string {
	all := map[string]string{attrPlugin: "shop/tags", attrDigest: revision().Digest.String()}
	maps.Copy(all, more)
	return all
}

func object() map[string]string {
	return map[string]string{attrVersion: "v1", attrKind: "ConfigMap", attrNamespace: "shop", attrName: "tools"}
}

func TestTracer_Runner(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err     error
		outcome string
	}{
		"answered":      {nil, "OK"},
		"trapped":       {&plugin.CallError{Kind: plugin.KindTrap, Err: errors.New("unreachable")}, "Trap"},
		"without kinds": {plugin.ErrNoRevision, "Error"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tracer, spans := newTracer()
			r := tracer.Runner(revision(), guest(func(context.Context, plugin.Call) ([]byte, error) { return []byte("x"), tt.err }))
			got, err := r.Call(t.Context(), plugin.Call{Export: "reconcile", Object: tools(), Attempt: 3})
			if string(got) != "x" || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v", got, err)
			}
			all := spans.GetSpans()
			if len(all) != 1 || all[0].Name != "guest reconcile" {
				t.Fatalf("got %v", all)
			}
			want := with(map[string]string{attrExport: "reconcile", attrAttempt: "3", attrOutcome: tt.outcome})
			maps.Copy(want, object())
			if diff := cmp.Diff(want, about(all[0])); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if failed := all[0].Status.Code == codes.Error; failed != (tt.err != nil) || failed && all[0].Status.Description != tt.err.Error() {
				t.Errorf("status %+v", all[0].Status)
			}
		})
	}
}

// The spans of host function calls are children of the guest call's span.
func TestTracer_Host(t *testing.T) {
	t.Parallel()
	ended := apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, "tools")
	for name, failing := range map[string]error{"good": nil, "failing": ended} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tracer, spans := newTracer()
			h := tracer.Host(revision(), cluster{failing})
			whole := []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"shop","name":"tools"}}`)
			requests := map[string]func(context.Context) error{
				abi.FuncGet: func(ctx context.Context) error { _, err := h.Get(ctx, tools()); return err },
				abi.FuncList: func(ctx context.Context) error {
					_, err := h.List(ctx, abi.ListRequest{APIVersion: "v1", Kind: "ConfigMap", Namespace: "shop"})
					return err
				},
				abi.FuncCreate: func(ctx context.Context) error { _, err := h.Create(ctx, abi.WriteRequest{Object: whole}); return err },
				abi.FuncUpdate: func(ctx context.Context) error { _, err := h.Update(ctx, abi.WriteRequest{Object: whole}); return err },
				abi.FuncUpdateStatus: func(ctx context.Context) error {
					_, err := h.UpdateStatus(ctx, abi.WriteRequest{Object: whole})
					return err
				},
				abi.FuncPatch: func(ctx context.Context) error {
					_, err := h.Patch(ctx, abi.PatchRequest{ObjectKey: tools()})
					return err
				},
				abi.FuncPatchStatus: func(ctx context.Context) error {
					_, err := h.PatchStatus(ctx, abi.PatchRequest{ObjectKey: tools()})
					return err
				},
				abi.FuncApply:  func(ctx context.Context) error { _, err := h.Apply(ctx, abi.ApplyRequest{Object: whole}); return err },
				abi.FuncDelete: func(ctx context.Context) error { return h.Delete(ctx, abi.DeleteRequest{ObjectKey: tools()}) },
				abi.FuncEvent:  func(ctx context.Context) error { return h.Event(ctx, abi.EventRequest{ObjectKey: tools()}) },
			}
			r := tracer.Runner(revision(), guest(func(ctx context.Context, _ plugin.Call) ([]byte, error) {
				for function, request := range requests {
					if err := request(ctx); !errors.Is(err, failing) {
						t.Errorf("%s: got %v, want %v", function, err, failing)
					}
				}
				return nil, nil
			}))
			if _, err := r.Call(t.Context(), plugin.Call{Export: "reconcile"}); err != nil {
				t.Fatal(err)
			}
			all := spans.GetSpans()
			parent := all[len(all)-1]
			for _, span := range all[:len(all)-1] {
				function := strings.TrimPrefix(span.Name, "host ")
				if requests[function] == nil {
					t.Errorf("span %q is of no request, or twice", span.Name)
				}
				delete(requests, function)
				if span.Parent.SpanID() != parent.SpanContext.SpanID() || span.SpanContext.TraceID() != parent.SpanContext.TraceID() {
					t.Errorf("%s is not below the call", span.Name)
				}
				want := with(object())
				if function == abi.FuncList {
					delete(want, attrName)
				}
				if failing != nil {
					want[attrReason] = "NotFound"
				}
				if diff := cmp.Diff(want, about(span)); diff != "" {
					t.Errorf("%s (-want +got)\n%s", span.Name, diff)
				}
				if (span.Status.Code == codes.Error) != (failing != nil) {
					t.Errorf("%s: status %+v", span.Name, span.Status)
				}
			}
			if len(requests) > 0 {
				t.Errorf("%d requests have no span", len(requests))
			}
		})
	}
}

// An object that cannot be decoded is passed on, because the next Host rejects it.
func TestTracer_Host_rubbish(t *testing.T) {
	t.Parallel()
	tracer, spans := newTracer()
	if _, err := tracer.Host(revision(), cluster{}).Create(t.Context(), abi.WriteRequest{Object: []byte("rubbish")}); err != nil {
		t.Error(err)
	}
	if got := spans.GetSpans(); len(got) != 1 || len(about(got[0])) != len(with(nil)) {
		t.Errorf("got %v", got)
	}
}

// The span of an HTTP request does not contain its URL, which may contain secrets.
func TestTracer_Host_http(t *testing.T) {
	t.Parallel()
	tracer, spans := newTracer()
	h := tracer.Host(revision(), cluster{})
	if _, err := h.HTTP(t.Context(), abi.HTTPRequest{URL: "https://api.example.com/?token=secret"}); err != nil {
		t.Fatal(err)
	}
	all := spans.GetSpans()
	if len(all) != 1 || all[0].Name != "host k1s_http_request" {
		t.Fatalf("got %v", all)
	}
	if diff := cmp.Diff(with(nil), about(all[0])); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A guest can choose the names of objects, and the API server quotes them in its errors.
func TestTracer_Host_secrets(t *testing.T) {
	t.Parallel()
	tracer, exporter := newTracer()
	about := revision()
	about.Redact = plugin.NewRedactor("hunter2")
	host := tracer.Host(about, cluster{err: apierrors.NewBadRequest("hunter2 is no quantity")})
	if _, err := host.Get(t.Context(), abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "hunter2"}); err == nil || !strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the guest gets another error: %v", err)
	}
	for _, span := range exporter.GetSpans() {
		if text := fmt.Sprint(span.Attributes, span.Status, span.Events); strings.Contains(text, "hunter2") || !strings.Contains(text, plugin.Redacted) {
			t.Errorf("the span has %s", text)
		}
	}
}
