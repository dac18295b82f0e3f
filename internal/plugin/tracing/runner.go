// SPDX-License-Identifier: Apache-2.0

package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// The names of the attributes. The outcome has the same values as in the metrics: OK, or the kind of the error.
const (
	attrPlugin    = "k1s.plugin"
	attrDigest    = "k1s.digest"
	attrExport    = "k1s.export"
	attrOutcome   = "k1s.outcome"
	attrAttempt   = "k1s.attempt"
	attrVersion   = "k1s.object.apiVersion"
	attrKind      = "k1s.object.kind"
	attrNamespace = "k1s.object.namespace"
	attrName      = "k1s.object.name"
	attrReason    = "k1s.reason"
)

// Tracer creates spans.
type Tracer struct{ tracer trace.Tracer }

// New returns a Tracer.
func New(provider trace.TracerProvider) *Tracer {
	return &Tracer{tracer: provider.Tracer("github.com/k1s-io/k1s/internal/plugin/tracing")}
}

// Runner returns a Runner that creates a span for every call of a revision.
func (t *Tracer) Runner(r plugin.Revision, next plugin.Runner) plugin.Runner {
	return &runner{Runner: next, tracer: t.tracer, of: trace.WithAttributes(revisionOf(r)...)}
}

func revisionOf(r plugin.Revision) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String(attrPlugin, r.Plugin), attribute.String(attrDigest, r.Digest.String())}
}

type runner struct {
	plugin.Runner
	tracer trace.Tracer
	// of has the attributes of the revision.
	of trace.SpanStartEventOption
}

// Call implements plugin.Runner.
func (r *runner) Call(ctx context.Context, call plugin.Call) ([]byte, error) {
	ctx, span := r.tracer.Start(ctx, "guest "+call.Export, trace.WithSpanKind(trace.SpanKindInternal), r.of)
	defer span.End()
	if !span.IsRecording() {
		return r.Runner.Call(ctx, call)
	}
	span.SetAttributes(attribute.String(attrExport, call.Export), attribute.Int(attrAttempt, call.Attempt))
	span.SetAttributes(objectOf(call.Object)...)
	reply, err := r.Runner.Call(ctx, call)
	outcome := "OK"
	if err != nil {
		if outcome = string(plugin.KindOf(err)); outcome == "" {
			outcome = "Error"
		}
		span.SetStatus(codes.Error, err.Error())
	}
	span.SetAttributes(attribute.String(attrOutcome, outcome))
	return reply, err
}

// objectOf returns the attributes for the parts of an object's key that are set.
func objectOf(key abi.ObjectKey) []attribute.KeyValue {
	var out []attribute.KeyValue
	for _, a := range [][2]string{
		{attrVersion, key.APIVersion}, {attrKind, key.Kind}, {attrNamespace, key.Namespace}, {attrName, key.Name},
	} {
		if a[1] != "" {
			out = append(out, attribute.String(a[0], a[1]))
		}
	}
	return out
}
