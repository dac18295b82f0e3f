// SPDX-License-Identifier: Apache-2.0

package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// Host returns a Host that creates a span for every host function call of a revision's guest. It is a child of the span
// of the guest call.
func (t *Tracer) Host(r plugin.Revision, next plugin.Host) plugin.Host {
	return &host{next: next, tracer: t.tracer, redact: r.Redact, of: trace.WithAttributes(revisionOf(r)...)}
}

type host struct {
	next   plugin.Host
	tracer trace.Tracer
	// redact redacts secrets, because the guest names objects and the API server's errors quote them.
	redact *plugin.Redactor
	of     trace.SpanStartEventOption
}

// in runs do within a span that is named after a host function.
func (h *host) in(ctx context.Context, function string, key abi.ObjectKey, do func(context.Context) ([]byte, error)) ([]byte, error) {
	ctx, span := h.tracer.Start(ctx, "host "+function, trace.WithSpanKind(trace.SpanKindClient), h.of)
	defer span.End()
	if span.IsRecording() {
		span.SetAttributes(objectOf(h.clean(key))...)
	}
	reply, err := do(ctx)
	if err != nil && span.IsRecording() {
		span.SetStatus(codes.Error, h.redact.Text(err.Error()))
		span.SetAttributes(attribute.String(attrReason, string(apierrors.ReasonForError(err))))
	}
	return reply, err
}

func (h *host) clean(key abi.ObjectKey) abi.ObjectKey {
	return abi.ObjectKey{
		APIVersion: h.redact.Text(key.APIVersion), Kind: h.redact.Text(key.Kind),
		Namespace: h.redact.Text(key.Namespace), Name: h.redact.Text(key.Name),
	}
}

// keyOf returns the key of an object in a request, or an empty key if the object cannot be decoded.
func keyOf(object []byte) abi.ObjectKey {
	head, err := abi.DecodeHead(object)
	if err != nil {
		return abi.ObjectKey{}
	}
	return abi.ObjectKey{
		APIVersion: head.APIVersion, Kind: head.Kind, Namespace: head.Metadata.Namespace, Name: head.Metadata.Name,
	}
}

// Get implements plugin.Host.
func (h *host) Get(ctx context.Context, req abi.ObjectKey) ([]byte, error) {
	return h.in(ctx, abi.FuncGet, req, func(ctx context.Context) ([]byte, error) { return h.next.Get(ctx, req) })
}

// List implements plugin.Host.
func (h *host) List(ctx context.Context, req abi.ListRequest) ([]byte, error) {
	key := abi.ObjectKey{APIVersion: req.APIVersion, Kind: req.Kind, Namespace: req.Namespace}
	return h.in(ctx, abi.FuncList, key, func(ctx context.Context) ([]byte, error) { return h.next.List(ctx, req) })
}

// Create implements plugin.Host.
func (h *host) Create(ctx context.Context, req abi.WriteRequest) ([]byte, error) {
	return h.in(ctx, abi.FuncCreate, keyOf(req.Object), func(ctx context.Context) ([]byte, error) { return h.next.Create(ctx, req) })
}

// Update implements plugin.Host.
func (h *host) Update(ctx context.Context, req abi.WriteRequest) ([]byte, error) {
	return h.in(ctx, abi.FuncUpdate, keyOf(req.Object), func(ctx context.Context) ([]byte, error) { return h.next.Update(ctx, req) })
}

// UpdateStatus implements plugin.Host.
func (h *host) UpdateStatus(ctx context.Context, req abi.WriteRequest) ([]byte, error) {
	return h.in(ctx, abi.FuncUpdateStatus, keyOf(req.Object), func(ctx context.Context) ([]byte, error) { return h.next.UpdateStatus(ctx, req) })
}

// Patch implements plugin.Host.
func (h *host) Patch(ctx context.Context, req abi.PatchRequest) ([]byte, error) {
	return h.in(ctx, abi.FuncPatch, req.ObjectKey, func(ctx context.Context) ([]byte, error) { return h.next.Patch(ctx, req) })
}

// PatchStatus implements plugin.Host.
func (h *host) PatchStatus(ctx context.Context, req abi.PatchRequest) ([]byte, error) {
	return h.in(ctx, abi.FuncPatchStatus, req.ObjectKey, func(ctx context.Context) ([]byte, error) { return h.next.PatchStatus(ctx, req) })
}

// Apply implements plugin.Host.
func (h *host) Apply(ctx context.Context, req abi.ApplyRequest) ([]byte, error) {
	return h.in(ctx, abi.FuncApply, keyOf(req.Object), func(ctx context.Context) ([]byte, error) { return h.next.Apply(ctx, req) })
}

// Delete implements plugin.Host.
func (h *host) Delete(ctx context.Context, req abi.DeleteRequest) error {
	_, err := h.in(ctx, abi.FuncDelete, req.ObjectKey, func(ctx context.Context) ([]byte, error) { return nil, h.next.Delete(ctx, req) })
	return err
}

// Event implements plugin.Host.
func (h *host) Event(ctx context.Context, req abi.EventRequest) error {
	_, err := h.in(ctx, abi.FuncEvent, req.ObjectKey, func(ctx context.Context) ([]byte, error) { return nil, h.next.Event(ctx, req) })
	return err
}

// HTTP implements plugin.Host. The span has no attributes of the request, because a URL may contain secrets.
func (h *host) HTTP(ctx context.Context, req abi.HTTPRequest) ([]byte, error) {
	return h.in(ctx, abi.FuncHTTPRequest, abi.ObjectKey{}, func(ctx context.Context) ([]byte, error) { return h.next.HTTP(ctx, req) })
}
