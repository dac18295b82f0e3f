// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// limits are settings with a default.
type limits struct{ most int64 }

func (l *limits) UnmarshalK1s(d *json.Decoder) {
	*l = limits{most: 10}
	for name := range d.Members() {
		if name == "most" {
			if l.most = d.Int(); l.most < 1 {
				d.Fail("must be at least 1")
			}
		}
	}
}

// registrationOf returns what Register would store.
func registrationOf(p Plugin) *registration { return &registration{plugin: &p} }

// reconcilesWith returns a plugin for ConfigMaps.
func reconcilesWith(f ReconcileFunc[*Object]) *registration {
	return registrationOf(Plugin{Name: "test", Version: "v1", Reconcilers: []Handler{ForKind("v1", "ConfigMap", f)}})
}

const (
	configMapName   = `"apiVersion":"v1","kind":"ConfigMap","namespace":"shop","name":"a","attempt":3`
	configMapObject = `"object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v"}}`

	configMapRequest = `{` + configMapName + `,` + configMapObject + `,"later":[1]}`
)

func TestServeReconcile_hands(t *testing.T) {
	t.Parallel()
	for name, input := range map[string]string{
		"kind first":   configMapRequest,
		"object first": `{` + configMapObject + `,` + configMapName + `}`,
	} {
		var got Request
		var value string
		reply, err := serveReconcile(reconcilesWith(func(_ context.Context, req Request, obj *Object) (Result, error) {
			got = req
			value, _ = obj.GetString("data", "k")
			return Result{RequeueAfter: 1500 * time.Millisecond}, nil
		}), input)
		want := Request{TypeReference{"v1", "ConfigMap"}, Key{"shop", "a"}, 3}
		if err != nil || got != want || value != "v" {
			t.Errorf("%s: the handler got %+v, %q, %v; want %+v", name, got, value, err, want)
		}
		if string(reply) != `{"requeueAfterMillis":1500}` {
			t.Errorf("%s: reply %s", name, reply)
		}
	}
}

func TestServeReconcile_replies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after time.Duration
		want  string
	}{
		"nothing asked for":  {0, ""},
		"negative":           {-time.Second, ""},
		"rounded up":         {time.Microsecond, `{"requeueAfterMillis":1}`},
		"whole milliseconds": {2 * time.Millisecond, `{"requeueAfterMillis":2}`},
		"as long as can be":  {1<<63 - 1, `{"requeueAfterMillis":9223372036855}`},
	} {
		reply, err := serveReconcile(reconcilesWith(func(context.Context, Request, *Object) (Result, error) {
			return Result{RequeueAfter: c.after}, nil
		}), configMapRequest)
		if err != nil || string(reply) != c.want {
			t.Errorf("%s: got %s, %v; want %s", name, reply, err, c.want)
		}
	}
}

func TestServeReconcile_deletedObjectIsNil(t *testing.T) {
	t.Parallel()
	for name, input := range map[string]string{
		"null":   `{"apiVersion":"v1","kind":"ConfigMap","name":"a","object":null}`,
		"absent": `{"apiVersion":"v1","kind":"ConfigMap","name":"a"}`,
		"first":  `{"object":null,"apiVersion":"v1","kind":"ConfigMap","name":"a"}`,
	} {
		called := false
		_, err := serveReconcile(reconcilesWith(func(_ context.Context, _ Request, obj *Object) (Result, error) {
			called = obj == nil
			return Result{}, nil
		}), input)
		if err != nil || !called {
			t.Errorf("%s: the handler did not get nil, error %v", name, err)
		}
	}
}

func TestServeReconcile_errors(t *testing.T) {
	t.Parallel()
	fails := func(err error) ReconcileFunc[*Object] {
		return func(context.Context, Request, *Object) (Result, error) { return Result{RequeueAfter: 1}, err }
	}
	panics := func(v any) ReconcileFunc[*Object] {
		return func(context.Context, Request, *Object) (Result, error) { panic(v) }
	}
	for name, c := range map[string]struct {
		registered *registration
		input      string
		want       string
	}{
		"plain error": {
			reconcilesWith(fails(errors.New("no luck"))), configMapRequest,
			`"code":500,"reason":"InternalError","message":"no luck"}`,
		},
		"Error keeps its reason": {
			reconcilesWith(fails(Invalid("spec.size is negative"))), configMapRequest,
			`"code":422,"reason":"Invalid","message":"spec.size is negative"}`,
		},
		"wrapped Error keeps reason and details": {
			reconcilesWith(fails(fmt.Errorf("get parent: %w", &Error{
				Reason: ReasonNotFound, Message: "x not found", Code: 404,
				Details: ErrorDetails{Name: "x", Group: "g", Kind: "k", UID: "u", RetryAfterSeconds: 2},
			}))), configMapRequest,
			`"code":404,"reason":"NotFound","message":"get parent: x not found",` +
				`"details":{"name":"x","group":"g","kind":"k","uid":"u","retryAfterSeconds":2}}`,
		},
		"panic": {
			reconcilesWith(panics("index is off")), configMapRequest,
			`"code":500,"reason":"InternalError","message":"panic: index is off"}`,
		},
		"panic of the runtime": {
			reconcilesWith(func(_ context.Context, req Request, _ *Object) (Result, error) {
				return Result{RequeueAfter: []time.Duration{}[req.Attempt]}, nil
			}), configMapRequest,
			`"code":500,"reason":"InternalError","message":"panic: runtime error: index out of range [3] with length 0"}`,
		},
		"panic whose text panics": {
			reconcilesWith(panics(nasty{})), configMapRequest,
			`"code":500,"reason":"InternalError","message":"panic: a value that cannot be printed"}`,
		},
		"panic without text": {
			reconcilesWith(panics(struct{}{})), configMapRequest,
			`"code":500,"reason":"InternalError","message":"panic: a value without text"}`,
		},
		"other kind": {
			reconcilesWith(nothing), `{"apiVersion":"v1","kind":"Secret"}`,
			`"code":400,"reason":"BadRequest","message":"no handler for Secret of v1"}`,
		},
		"input that is no JSON": {
			reconcilesWith(nothing), `{"object":`,
			`"code":400,"reason":"BadRequest","message":"decode the request: object: want a value, found the end (at byte 10)"}`,
		},
		"object that its type cannot read": {
			reconcilesWith(nothing), `{"apiVersion":"v1","kind":"ConfigMap","object":7}`,
			`"code":422,"reason":"Invalid","message":"decode ConfigMap: object: want an object (at byte 47)"}`,
		},
		"the same, and its kind comes later": {
			reconcilesWith(nothing), `{"object":7,"apiVersion":"v1","kind":"ConfigMap"}`,
			`"code":422,"reason":"Invalid","message":"decode ConfigMap: want an object (at byte 0)"}`,
		},
		"nothing registered": {
			&registration{}, configMapRequest,
			`"code":422,"reason":"Invalid","message":"k1s.Register is not called: call it in an init function"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reply, err := serveReconcile(c.registered, c.input)
			if err == nil {
				t.Fatalf("no error but %s", reply)
			}
			const head = `{"apiVersion":"v1","kind":"Status","status":"Failure",`
			if got := string(statusOf(err)); got != head+c.want {
				t.Errorf("got  %s\nwant %s", got, head+c.want)
			}
		})
	}
}

// nasty is an error whose Error method panics.
type nasty struct{}

func (nasty) Error() string { panic("again") }
