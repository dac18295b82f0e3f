// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	"context"
	"errors"
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

func TestClient_requests(t *testing.T) {
	a := k1s.Key{Namespace: "shop", Name: "a"}
	ctx := context.Background()
	for name, c := range map[string]struct {
		do   func() error
		verb k1stest.Verb
		want json.Raw
	}{
		"get": {
			func() error { return k1s.Get(ctx, a, new(Widget)) }, k1stest.VerbGet,
			`{"apiVersion":"example.com/v1","kind":"Widget","namespace":"shop","name":"a"}`,
		},
		"get of a cluster-scoped object": {
			func() error { return k1s.Get(ctx, k1s.Key{Name: "n"}, k1s.NewObject("v1", "Node", k1s.Key{})) }, k1stest.VerbGet,
			`{"apiVersion":"v1","kind":"Node","name":"n"}`,
		},
		"list": {
			func() error {
				_, err := k1s.List[Widget](ctx, k1s.ListOptions{
					Namespace: "shop", LabelSelector: "a=b", FieldSelector: "metadata.name=a", Limit: 5, Continue: "c",
				})
				return err
			}, k1stest.VerbList,
			`{"apiVersion":"example.com/v1","kind":"Widget","namespace":"shop","labelSelector":"a=b",` +
				`"fieldSelector":"metadata.name=a","limit":5,"continue":"c"}`,
		},
		"list of objects": {
			func() error {
				_, err := k1s.List[k1s.Object](ctx, k1s.ListOptions{Type: k1s.TypeReference{APIVersion: "v1", Kind: "Pod"}})
				return err
			}, k1stest.VerbList, `{"apiVersion":"v1","kind":"Pod"}`,
		},
		"create": {
			func() error { return k1s.Create(ctx, widget("new", 1)) }, k1stest.VerbCreate,
			`{"object":{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"new","namespace":"shop"},"spec":{"size":1}}}`,
		},
		"delete": {
			func() error {
				return k1s.Delete(ctx, widget("a", 0), k1s.DeleteOptions{PropagationPolicy: "Orphan", UID: "u", ResourceVersion: "1"})
			}, k1stest.VerbDelete,
			`{"apiVersion":"example.com/v1","kind":"Widget","namespace":"shop","name":"a",` +
				`"propagationPolicy":"Orphan","uid":"u","resourceVersion":"1"}`,
		},
		"patch": {
			func() error { return k1s.Patch(ctx, widget("a", 0), k1s.MergePatch, json.Raw(`{"spec":{"size":2}}`)) },
			k1stest.VerbPatch,
			`{"apiVersion":"example.com/v1","kind":"Widget","namespace":"shop","name":"a","patchType":"merge","patch":{"spec":{"size":2}}}`,
		},
		"apply": {
			func() error { return k1s.Apply(ctx, widget("b", 3), k1s.ApplyOptions{}) }, k1stest.VerbApply,
			`{"object":{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"b","namespace":"shop"},"spec":{"size":3}}}`,
		},
		"apply with force": {
			func() error { return k1s.Apply(ctx, widget("b", 0), k1s.ApplyOptions{Force: true}) }, k1stest.VerbApply,
			`{"object":{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"b","namespace":"shop"}},"force":true}`,
		},
		"apply of the status": {
			func() error {
				w := widget("a", 0)
				w.Phase = "Ready"
				return k1s.ApplyStatus(ctx, w, k1s.ApplyOptions{Force: true})
			}, k1stest.VerbPatchStatus,
			`{"apiVersion":"example.com/v1","kind":"Widget","namespace":"shop","name":"a","patchType":"apply",` +
				`"patch":{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a","namespace":"shop"},` +
				`"status":{"phase":"Ready"}},"force":true}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			host := k1stest.New(t)
			host.Add(&Widget{ObjectMeta: k1s.ObjectMeta{Namespace: "shop", Name: "a", UID: "u"}, Size: 1})
			host.AddJSON(`{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}`)
			if err := c.do(); err != nil {
				t.Errorf("error %v", err)
			}
			calls := host.Calls()
			if len(calls) != 1 || calls[0].Verb != c.verb || calls[0].Request != c.want {
				t.Errorf("got  %+v\nwant %s %s", calls, c.verb, c.want)
			}
		})
	}
}

func TestClient_readModifyWrite(t *testing.T) {
	host := k1stest.New(t)
	ctx := context.Background()
	w := widget("a", 1)
	if err := k1s.Create(ctx, w); err != nil || w.UID == "" || w.ResourceVersion == "" || w.Generation != 1 {
		t.Fatalf("created %+v, %v", w.ObjectMeta, err)
	}
	stale := *w
	w.Size = 2
	if err := k1s.Update(ctx, w); err != nil || w.Size != 2 || w.Generation != 2 {
		t.Errorf("updated to %+v, %v", w, err)
	}
	if err := k1s.Update(ctx, &stale); !k1s.IsConflict(err) {
		t.Errorf("update of what has changed: %v", err)
	}
	w.Phase, w.Size = "Ready", 9
	if err := k1s.UpdateStatus(ctx, w); err != nil || w.Phase != "Ready" || w.Size != 2 || w.Generation != 2 {
		t.Errorf("the status update gives %+v, %v", w, err)
	}
	if err := k1s.Create(ctx, widget("a", 1)); !k1s.IsAlreadyExists(err) {
		t.Errorf("created twice: %v", err)
	}
	var read Widget
	if err := k1s.Get(ctx, k1s.KeyOf(w), &read); err != nil || read.Phase != "Ready" {
		t.Errorf("read %+v, %v", read, err)
	}
	if err := k1s.Delete(ctx, w, k1s.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	if err := k1s.Get(ctx, k1s.KeyOf(w), &read); !k1s.IsNotFound(err) {
		t.Errorf("read what was deleted: %v", err)
	}
	if host.Object(w.TypeRef(), k1s.KeyOf(w)) != nil {
		t.Error("it is still there")
	}
}

func TestClient_errors(t *testing.T) {
	host := k1stest.New(t)
	ctx := context.Background()
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if err := k1s.Get(canceled, k1s.Key{Name: "a"}, new(Widget)); !errors.Is(err, context.Canceled) {
		t.Errorf("with a canceled context: %v", err)
	}
	if len(host.Calls()) != 0 {
		t.Error("the host was asked with a canceled context")
	}
	want := &k1s.Error{Reason: k1s.ReasonTooManyRequests, Message: "slow down", Code: 429, Details: k1s.ErrorDetails{RetryAfterSeconds: 3}}
	host.FailNext(k1stest.VerbGet, want)
	err := k1s.Get(ctx, k1s.Key{Name: "a"}, new(Widget))
	if got := new(k1s.Error); !errors.As(err, &got) || *got != *want {
		t.Errorf("got %+v", err)
	}
	_, err = k1s.List[k1s.Object](ctx, k1s.ListOptions{})
	if k1s.ReasonOf(err) != k1s.ReasonBadRequest {
		t.Errorf("a list without a kind: %v", err)
	}
	host.AddJSON(`{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"bad"},"spec":{"size":"x"}}`)
	err = k1s.Get(ctx, k1s.Key{Name: "bad"}, new(Widget))
	const message = "k1s_client_get: decode the reply: spec.size: want a number, found a string"
	if k1s.ReasonOf(err) != k1s.ReasonInternalError || len(err.Error()) < len(message) || err.Error()[:len(message)] != message {
		t.Errorf("a reply that the type cannot read: %v", err)
	}
}

func TestClient_withoutHost(t *testing.T) {
	t.Parallel()
	err := k1s.Get(context.Background(), k1s.Key{Name: "a"}, new(Widget))
	if err == nil || err.Error() != "k1s_client_get called without a host; a test makes one with k1stest.New" {
		t.Errorf("error %v", err)
	}
}
