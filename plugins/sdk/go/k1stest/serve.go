// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	"errors"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// nameRequest has the members that every request for a named object has.
type nameRequest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
}

func (r nameRequest) id() objectKey {
	return objectKey{
		ref: k1s.TypeReference{APIVersion: r.APIVersion, Kind: r.Kind},
		key: k1s.Key{Namespace: r.Namespace, Name: r.Name},
	}
}

type deleteRequest struct {
	nameRequest
	PropagationPolicy string `json:"propagationPolicy"`
	UID               string `json:"uid"`
	ResourceVersion   string `json:"resourceVersion"`
}

type objectRequest struct {
	Object object `json:"object"`
	Force  bool   `json:"force"`
}

type eventRequest struct {
	nameRequest
	UID     string `json:"uid"`
	Type    string `json:"type"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Action  string `json:"action"`
}

// serve serves one request. A nil result is the empty reply.
func (h *Host) serve(f host.Func, request []byte) (any, *k1s.Error) {
	call := Call{Verb: verbOf(f), Request: json.Raw(request)}
	call.Type, call.Key = target(call.Request)
	h.calls = append(h.calls, call)
	if err := h.onlyReads(call); err != nil {
		return nil, err
	}
	for i := len(h.faults) - 1; i >= 0; i-- {
		if err := h.faults[i](call); err != nil {
			return nil, asError(err)
		}
	}
	switch call.Verb {
	case VerbGet:
		return h.get(request)
	case VerbList:
		return h.list(request)
	case VerbCreate:
		return h.create(request)
	case VerbUpdate:
		return h.update(request)
	case VerbUpdateStatus:
		return h.updateStatus(request)
	case VerbPatch:
		return h.patch(request, false)
	case VerbPatchStatus:
		return h.patch(request, true)
	case VerbApply:
		return h.apply(request)
	case VerbDelete:
		return nil, h.delete(request)
	case VerbHTTP:
		return h.http(request)
	default:
		return nil, h.event(request)
	}
}

// target returns the kind and key of a request, which names an object or contains one.
func target(request json.Raw) (k1s.TypeReference, k1s.Key) {
	if carried, ok := request.Get("object"); ok {
		request = carried
		o, err := k1s.ParseObject(string(request))
		if err != nil {
			return k1s.TypeReference{}, k1s.Key{}
		}
		return o.TypeRef(), k1s.KeyOf(o)
	}
	var names struct{ apiVersion, kind, namespace, name string }
	for member, into := range map[string]*string{
		"apiVersion": &names.apiVersion, "kind": &names.kind, "namespace": &names.namespace, "name": &names.name,
	} {
		raw, _ := request.Get(member)
		*into = json.NewDecoder(string(raw)).String()
	}
	return k1s.TypeReference{APIVersion: names.apiVersion, Kind: names.kind},
		k1s.Key{Namespace: names.namespace, Name: names.name}
}

func (h *Host) get(request []byte) (any, *k1s.Error) {
	var r nameRequest
	if err := decode(request, &r); err != nil {
		return nil, err
	}
	o, err := h.store.find(r.id())
	if err != nil {
		return nil, err
	}
	return o, nil
}

func (h *Host) event(request []byte) *k1s.Error {
	var r eventRequest
	if err := decode(request, &r); err != nil {
		return err
	}
	if r.Reason == "" || r.Type != string(k1s.Normal) && r.Type != string(k1s.Warning) {
		return k1s.NewError(k1s.ReasonBadRequest, "an event needs a reason and a type Normal or Warning")
	}
	h.events = append(h.events, Event{
		Object: r.id().ref, Key: r.id().key, UID: r.UID,
		Type: k1s.EventType(r.Type), Reason: r.Reason, Message: r.Message, Action: r.Action,
	})
	return nil
}

func asError(err error) *k1s.Error {
	var e *k1s.Error
	if errors.As(err, &e) {
		return e
	}
	return k1s.NewError(k1s.ReasonInternalError, err.Error())
}
