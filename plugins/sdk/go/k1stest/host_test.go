// SPDX-License-Identifier: Apache-2.0

package k1stest_test

import (
	"errors"
	"testing"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

func TestHost_deniesLikeOperator(t *testing.T) {
	k1stest.New(t).Add(widget(t, a, ""))
	const key = `"apiVersion":"example.com/v1","kind":"Widget","namespace":"shop","name":"a"`
	for name, c := range map[string]struct {
		f       host.Func
		request string
	}{
		"unknown member":            {host.Get, `{` + key + `,"more":1}`},
		"two values":                {host.Get, `{` + key + `} {}`},
		"no JSON":                   {host.List, `{`},
		"create without an object":  {host.Create, `{}`},
		"create with force":         {host.Create, `{"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}},"force":true}`},
		"update of something":       {host.Update, `{"object":7}`},
		"apply without a kind":      {host.Apply, `{"object":{"apiVersion":"v1"}}`},
		"patch without a type":      {host.Patch, `{` + key + `,"patch":{}}`},
		"merge patch with force":    {host.Patch, `{` + key + `,"patchType":"merge","patch":{},"force":true}`},
		"apply of another object":   {host.PatchStatus, `{` + key + `,"patchType":"apply","patch":{"apiVersion":"v1","kind":"Pod"}}`},
		"apply with managed fields": {host.Apply, `{"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","managedFields":[{}]}}}`},
		"event without a reason":    {host.Event, `{` + key + `,"type":"Normal","message":"m"}`},
		"event of another type":     {host.Event, `{` + key + `,"type":"Info","reason":"R"}`},
		"delete with force":         {host.Delete, `{` + key + `,"force":true}`},
	} {
		reply := host.Call(c.f, []byte(c.request))
		var err k1s.Error
		if !reply.IsError || json.Unmarshal(reply.Text, &err) != nil || err.Reason != k1s.ReasonBadRequest {
			t.Errorf("%s: %+v", name, reply)
		}
	}
}

func TestHost_intercept(t *testing.T) {
	h := k1stest.New(t)
	h.Add(widget(t, a, ""))
	h.FailNext(k1stest.VerbDelete, errors.New("plain"))
	h.FailNext(k1stest.VerbGet, k1s.NewError(k1s.ReasonForbidden, "no"))
	if err := k1s.Get(ctx, a, widget(t, a, "")); !k1s.IsForbidden(err) {
		t.Errorf("first get: %v", err)
	}
	if err := k1s.Get(ctx, a, widget(t, a, "")); err != nil {
		t.Errorf("second get: %v", err)
	}
	if err := k1s.Delete(ctx, widget(t, a, ""), k1s.DeleteOptions{}); k1s.ReasonOf(err) != k1s.ReasonInternalError {
		t.Errorf("delete: %v", err)
	}
	if h.Object(widgets, a) == nil {
		t.Error("a call that was made to fail did something")
	}
	if got := h.Calls(); len(got) != 3 || got[2].Verb != k1stest.VerbDelete || got[2].Key != a || got[2].Type != widgets {
		t.Errorf("calls %+v", got)
	}
}

func TestHost_clockAndRandom(t *testing.T) {
	var first [8]byte
	for range 2 {
		t.Run("equal in every test", func(t *testing.T) {
			h := k1stest.New(t)
			if got := k1s.Timestamp(k1s.Now()); got != "2026-01-01T00:00:00Z" {
				t.Errorf("the clock begins at %s", got)
			}
			h.Advance(90 * time.Minute)
			if got := k1s.Timestamp(k1s.Now()); got != "2026-01-01T01:30:00Z" {
				t.Errorf("the clock went on to %s", got)
			}
			h.SetNow(time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC))
			if got := k1s.Timestamp(k1s.Now()); got != "1999-12-31T23:59:59Z" {
				t.Errorf("the clock was set to %s", got)
			}
			var b [8]byte
			k1s.Random(b[:])
			if first != [8]byte{} && b != first {
				t.Error("other bytes than in the test before")
			}
			first = b
		})
	}
}

func TestHost_nested(t *testing.T) {
	outer := k1stest.New(t)
	t.Run("inner", func(t *testing.T) {
		k1stest.New(t).Add(widget(t, a, ""))
		if err := k1s.Get(ctx, a, widget(t, a, "")); err != nil {
			t.Error(err)
		}
	})
	if err := k1s.Get(ctx, a, widget(t, a, "")); !k1s.IsNotFound(err) {
		t.Errorf("after the inner test the outer host is asked: %v", err)
	}
	if len(outer.Calls()) != 1 {
		t.Errorf("calls %+v", outer.Calls())
	}
}

func TestHost_load(t *testing.T) {
	h := k1stest.New(t)
	h.AddJSON(`{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a","namespace":"shop"},"spec":{"size":12345678901234567}}`)
	o := widget(t, a, "")
	h.Load(a, o)
	if n, ok := o.GetInt("spec", "size"); n != 12345678901234567 || !ok {
		t.Errorf("size %d", n)
	}
	if len(h.Calls()) != 0 {
		t.Error("Load is recorded as a call")
	}
	h.AddJSON(`{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a","namespace":"shop"},"spec":{"size":1}}`)
	h.Load(a, o)
	if o.Meta().Generation != 2 || o.Meta().UID != "uid-1" {
		t.Errorf("replaced by %+v", o.Meta())
	}
}
