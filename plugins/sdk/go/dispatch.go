// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// reconcileInput is the input of the exports reconcile and finalize.
type reconcileInput struct {
	plugin   *Plugin
	handlers []Handler
	req      Request
	// raw is the object if it came before its kind. The operator sends the kind first. The handler then decodes the
	// object directly into obj, which saves reading its text twice.
	raw        json.Raw
	obj        any
	read       *Handler
	unreadable bool // the handler's type could not decode the object
}

// UnmarshalK1s reads the input. It skips unknown members, because a later host may add some.
func (in *reconcileInput) UnmarshalK1s(d *json.Decoder) {
	for name := range d.Members() {
		switch name {
		case "apiVersion":
			in.req.APIVersion = d.String()
		case "kind":
			in.req.Kind = d.String()
		case "namespace":
			in.req.Namespace = d.String()
		case "name":
			in.req.Name = d.String()
		case "object":
			if in.read = in.handler(); in.read == nil {
				in.raw = d.Raw()
			} else {
				in.obj = in.read.read(d)
				in.unreadable = d.Err() != nil
			}
		case "attempt":
			in.req.Attempt = int(d.Int32())
		}
	}
}

// handler returns the handler for the kind in the input so far, or nil.
func (in *reconcileInput) handler() *Handler {
	for i := range in.handlers {
		if in.handlers[i].ref == in.req.TypeReference {
			return &in.handlers[i]
		}
	}
	return nil
}

// run calls the handler.
func (in *reconcileInput) run(ctx context.Context) (Result, error) {
	if in.read != nil {
		return in.read.run(ctx, in.req, in.obj)
	}
	if h := in.handler(); h != nil {
		return h.Reconcile(ctx, in.req, in.raw)
	}
	if in.plugin.isFor(in.req.TypeReference) {
		return Result{}, nil // the plugin handles the kind only for another capability
	}
	return Result{}, NewError(ReasonBadRequest, "no handler for "+in.req.TypeReference.String())
}

// serveMetadata serves the export k1s_metadata.
func serveMetadata(r *registration) ([]byte, error) {
	p, err := r.current()
	if err != nil {
		return nil, err
	}
	return p.Metadata()
}

// serveInitialize serves the export k1s_initialize.
func serveInitialize(r *registration, settings string) (err error) {
	defer recoverInto(&err)
	p, err := r.current()
	if err != nil {
		return err
	}
	if settings == "" {
		settings = "{}"
	}
	if p.Settings != nil {
		if err := json.Unmarshal(settings, p.Settings); err != nil {
			return NewError(ReasonInvalid, "settings: "+err.Error())
		}
	}
	if p.Initialize != nil {
		return p.Initialize(context.Background())
	}
	return nil
}

// serveHealth serves the export k1s_health.
func serveHealth(r *registration) (err error) {
	defer recoverInto(&err)
	p, err := r.current()
	if err != nil || p.Health == nil {
		return err
	}
	return p.Health(context.Background())
}

// serveShutdown serves the export k1s_shutdown, which can report an error only in the log.
func serveShutdown(r *registration) {
	var err error
	func() {
		defer recoverInto(&err)
		if p, _ := r.current(); p != nil && p.Shutdown != nil {
			p.Shutdown(context.Background())
		}
	}()
	if err != nil {
		Log.Error(err, "shut down")
	}
}

// serveReconcile serves the export reconcile. An empty reply is the zero result.
func serveReconcile(r *registration, input string) (reply []byte, err error) {
	return serveObject(r, func(p *Plugin) []Handler { return p.Reconcilers }, input)
}

// serveObject calls the plugin's handler for an object.
func serveObject(r *registration, handlers func(*Plugin) []Handler, input string) (reply []byte, err error) {
	defer recoverInto(&err)
	p, err := r.current()
	if err != nil {
		return nil, err
	}
	in := reconcileInput{plugin: p, handlers: handlers(p)}
	if err := json.Unmarshal(input, &in); err != nil {
		if in.unreadable {
			return nil, in.read.unreadable(err)
		}
		return nil, NewError(ReasonBadRequest, "decode the request: "+err.Error())
	}
	result, err := in.run(context.Background())
	if err != nil {
		return nil, err
	}
	return result.reply(), nil
}
