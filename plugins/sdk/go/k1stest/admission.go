// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	"context"
	stdjson "encoding/json"
	"errors"
	"maps"
	"slices"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Admission is an admission request for a handler that k1s.Admit returns.
type Admission struct {
	Operation k1s.Operation
	DryRun    bool
	UserInfo  k1s.UserInfo
	// Options are, for example, the CreateOptions of meta.k8s.io/v1. Empty means null.
	Options json.Raw
	// Object is the new object, OldObject the stored one. Delete has no Object and Create has no OldObject.
	Object, OldObject k1s.Resource
}

// ValidateCreate calls a handler for the creation of an object. Nothing is created. As in a cluster, the handler can
// only read during the call.
func (h *Host) ValidateCreate(handler k1s.AdmissionHandler, obj k1s.Resource) (k1s.Warnings, error) {
	h.t.Helper()
	return h.admit(handler, k1s.CapabilityValidation, Admission{Operation: k1s.OperationCreate, Object: obj})
}

// ValidateUpdate is like ValidateCreate for an object that replaces the stored one.
func (h *Host) ValidateUpdate(handler k1s.AdmissionHandler, old, obj k1s.Resource) (k1s.Warnings, error) {
	h.t.Helper()
	return h.admit(handler, k1s.CapabilityValidation, Admission{Operation: k1s.OperationUpdate, Object: obj, OldObject: old})
}

// ValidateDelete is like ValidateCreate for the deletion of an object.
func (h *Host) ValidateDelete(handler k1s.AdmissionHandler, obj k1s.Resource) (k1s.Warnings, error) {
	h.t.Helper()
	return h.admit(handler, k1s.CapabilityValidation, Admission{Operation: k1s.OperationDelete, OldObject: obj})
}

// Admit calls a handler that k1s.Admit returned.
func (h *Host) Admit(handler k1s.AdmissionHandler, req Admission) (k1s.Warnings, error) {
	h.t.Helper()
	return h.admit(handler, k1s.CapabilityAdmission, req)
}

// Default calls a handler that sets defaults of an object that is created or updated, and sets obj to the result. The
// test fails if the operator would reject the result, or if the handler would change the result again.
//
// To test a handler with a Go type on an object that has more fields than the type, pass a *k1s.Object, see
// k1s.ParseObject.
func (h *Host) Default(handler k1s.AdmissionHandler, obj k1s.Resource) error {
	h.t.Helper()
	req := Admission{Operation: k1s.OperationCreate, Object: obj}
	reply, err := h.match(handler, k1s.CapabilityDefaulting, req, false)
	if err != nil || len(reply) == 0 {
		return err
	}
	before := h.text(obj)
	if err := json.Unmarshal(string(reply), obj); err != nil {
		h.t.Fatalf("k1stest: read what the handler made of %s: %v", k1s.KeyOf(obj), err)
	}
	if changed := forbiddenChange(before, string(reply)); changed != "" {
		h.t.Errorf("k1stest: the handler changed %s, which it must not", changed)
	}
	if second, err := h.match(handler, k1s.CapabilityDefaulting, req, true); err == nil && len(second) > 0 {
		h.t.Errorf("k1stest: asked again, the handler changes once more what it made: %s to %s", h.text(obj), second)
	}
	return nil
}

// Finalize calls a handler for an object that is being deleted. It adds a deletionTimestamp and the plugin's finalizer
// if the object does not have them. When the handler is done, the finalizer is removed. The object is removed with its
// last finalizer. Request.Attempt counts the consecutive failures.
func (h *Host) Finalize(handler k1s.Handler, key k1s.Key) (k1s.Result, error) {
	h.t.Helper()
	id := keyOf(handler.TypeRef(), key)
	h.mu.Lock()
	o := h.store.objects[id]
	if o == nil {
		h.mu.Unlock()
		h.t.Fatalf("k1stest: there is no %s", id)
	}
	if meta := metadataOf(o); meta["deletionTimestamp"] == nil || !slices.Contains(finalizersOf(o), any(Finalizer)) {
		next := copyOf(o)
		meta := metadataOf(next)
		if meta["deletionTimestamp"] == nil {
			meta["deletionTimestamp"] = k1s.Timestamp(h.now)
		}
		if finalizers := finalizersOf(next); !slices.Contains(finalizers, any(Finalizer)) {
			meta["finalizers"] = append(finalizers, Finalizer)
		}
		h.store.stamp(next)
		h.store.objects[id] = next
	}
	h.mu.Unlock()

	result, err := h.Reconcile(handler, key)
	if err != nil || result.RequeueAfter > 0 {
		return result, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if o := h.store.objects[id]; o != nil {
		next := copyOf(o)
		left := slices.DeleteFunc(finalizersOf(next), func(f any) bool { return f == Finalizer })
		metadataOf(next)["finalizers"] = left
		h.store.replace(id, o, next)
	}
	return result, nil
}

// Finalizer is the finalizer of the plugin under test.
const Finalizer = "plugin.test.plugins.k1s.io/finalize"

func finalizersOf(o object) []any {
	finalizers, _ := child(o, "metadata")["finalizers"].([]any)
	return finalizers
}

// admit calls a handler that returns warnings.
func (h *Host) admit(handler k1s.AdmissionHandler, capability k1s.Capability, req Admission) (k1s.Warnings, error) {
	h.t.Helper()
	reply, err := h.match(handler, capability, req, false)
	if err != nil || len(reply) == 0 {
		return nil, err
	}
	var parsed struct {
		Warnings k1s.Warnings `json:"warnings"`
	}
	if err := decode(reply, &parsed); err != nil {
		h.t.Fatalf("k1stest: the handler replied %s: %v", reply, err)
	}
	return parsed.Warnings, nil
}

// match calls a handler for an admission request. If secretly is true, the calls of the handler are not recorded.
func (h *Host) match(handler k1s.AdmissionHandler, capability k1s.Capability, req Admission, secretly bool) ([]byte, error) {
	h.t.Helper()
	if handler.Capability() != capability {
		h.t.Fatalf("k1stest: the handler is for %q, not for %q", handler.Capability(), capability)
	}
	obj := req.Object
	if obj == nil {
		obj = req.OldObject
	}
	if obj == nil {
		h.t.Fatalf("k1stest: a request without an object")
	}
	var e json.Encoder
	e.BeginObject()
	handler.TypeRef().WriteMembers(&e)
	if namespace := obj.GetNamespace(); namespace != "" {
		e.Key("namespace").String(namespace)
	}
	e.Key("name").String(obj.GetName())
	e.Key("object").Raw(h.object(req.Object))
	e.Key("oldObject").Raw(h.object(req.OldObject))
	if capability == k1s.CapabilityAdmission {
		e.Key("uid").String("request-1")
		e.Key("operation").String(string(req.Operation))
		e.Key("dryRun").Bool(req.DryRun)
		e.Key("userInfo").Value(&req.UserInfo)
		if req.Options == "" {
			req.Options = "null"
		}
		e.Key("options").Raw(req.Options)
	}
	e.EndObject()

	h.mu.Lock()
	h.readOnly++
	calls := len(h.calls)
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.readOnly--
		if secretly {
			h.calls = h.calls[:calls]
		}
	}()
	return handler.Handle(context.Background(), req.Operation, json.Raw(e.Bytes()))
}

// object returns an object as JSON, or null for nil.
func (h *Host) object(obj k1s.Resource) json.Raw {
	h.t.Helper()
	if obj == nil {
		return "null"
	}
	return json.Raw(h.text(obj))
}

func (h *Host) text(obj k1s.Resource) string {
	h.t.Helper()
	text, err := json.Marshal(obj)
	if err != nil {
		h.t.Fatalf("k1stest: marshal %s: %v", k1s.KeyOf(obj), err)
	}
	return string(text)
}

// forbiddenChange returns the name of a member that the handler changed and must not change: one that identifies the
// object, or one that others own.
func forbiddenChange(before, after string) string {
	var was, is object
	if err := errors.Join(stdjson.Unmarshal([]byte(before), &was), stdjson.Unmarshal([]byte(after), &is)); err != nil {
		return err.Error()
	}
	for _, name := range []string{"apiVersion", "kind", "status"} {
		if !equal(was[name], is[name]) {
			return name
		}
	}
	there, now := maps.Clone(child(was, "metadata")), maps.Clone(child(is, "metadata"))
	for _, name := range []string{"labels", "annotations"} {
		delete(there, name)
		delete(now, name)
	}
	if !maps.EqualFunc(there, now, equal) {
		return "metadata, of which only labels and annotations are its to change"
	}
	return ""
}

// onlyReads denies requests that could change something during an admission request.
func (h *Host) onlyReads(call Call) *k1s.Error {
	if h.readOnly == 0 || call.Verb == VerbGet || call.Verb == VerbList {
		return nil
	}
	if method, ok := call.Request.Get("method"); call.Verb == VerbHTTP && (!ok || method == `"GET"` || method == `"HEAD"`) {
		return nil
	}
	return k1s.NewError(k1s.ReasonForbidden, "capability: during an admission request, a plugin can only read: "+string(call.Verb))
}
