// SPDX-License-Identifier: Apache-2.0

package k1stest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

func TestHost_validate(t *testing.T) {
	host := k1stest.New(t)
	handler := k1s.ValidateKind(widgets.APIVersion, widgets.Kind, k1s.Validator[*k1s.Object]{
		Create: func(_ context.Context, o *k1s.Object) (k1s.Warnings, error) {
			return k1s.Warnings{"new " + o.GetName()}, nil
		},
		Update: func(_ context.Context, old, o *k1s.Object) (k1s.Warnings, error) {
			was, _ := old.GetInt("spec", "size")
			if is, _ := o.GetInt("spec", "size"); is < was {
				return nil, k1s.Invalid("it shrinks")
			}
			return nil, nil
		},
	})
	small, large := widget(t, a, `{"spec":{"size":1}}`), widget(t, a, `{"spec":{"size":2}}`)
	if warnings, err := host.ValidateCreate(handler, small); err != nil || !slices.Equal(warnings, k1s.Warnings{"new a"}) {
		t.Errorf("create: %v, %v", warnings, err)
	}
	if warnings, err := host.ValidateUpdate(handler, small, large); err != nil || warnings != nil {
		t.Errorf("update: %v, %v", warnings, err)
	}
	if _, err := host.ValidateUpdate(handler, large, small); !k1s.IsInvalid(err) {
		t.Errorf("update to what is not allowed: %v", err)
	}
	if warnings, err := host.ValidateDelete(handler, small); err != nil || warnings != nil {
		t.Errorf("delete, which the handler does not want: %v, %v", warnings, err)
	}
	if host.Object(widgets, a) != nil {
		t.Error("what was asked about was created")
	}
}

// As in a cluster, a handler can only read during an admission request.
func TestHost_validateOnlyReads(t *testing.T) {
	host := k1stest.New(t)
	host.Add(widget(t, a, ""))
	host.HandleHTTP(func(k1s.HTTPRequest) (k1s.HTTPResponse, error) { return k1s.HTTPResponse{Status: 200}, nil })
	got := map[string]error{}
	handler := k1s.AdmitKind(widgets.APIVersion, widgets.Kind, k1s.Admitter[*k1s.Object]{
		Admit: func(ctx context.Context, req k1s.AdmissionRequest[*k1s.Object]) (k1s.Warnings, error) {
			o := widget(t, a, "")
			got["get"] = k1s.Get(ctx, a, o)
			_, got["http get"] = k1s.HTTP(ctx, k1s.HTTPRequest{URL: "http://x"})
			_, got["http post"] = k1s.HTTP(ctx, k1s.HTTPRequest{URL: "http://x", Method: "POST"})
			got["update"] = k1s.Update(ctx, o)
			got["apply status"] = k1s.ApplyStatus(ctx, o, k1s.ApplyOptions{})
			got["delete"] = k1s.Delete(ctx, o, k1s.DeleteOptions{})
			k1s.Event(o, k1s.Normal, "Reason", "message")
			return k1s.Warnings{req.UserInfo.Username + " " + string(req.Operation)}, nil
		},
	})
	warnings, err := host.Admit(handler, k1stest.Admission{
		Operation: k1s.OperationDelete, OldObject: widget(t, a, ""), UserInfo: k1s.UserInfo{Username: "jane"},
	})
	if err != nil || !slices.Equal(warnings, k1s.Warnings{"jane DELETE"}) {
		t.Errorf("got %v, %v", warnings, err)
	}
	for what, err := range got {
		if reads := what == "get" || what == "http get"; reads != (err == nil) || !reads && !k1s.IsForbidden(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if len(host.Events()) > 0 {
		t.Error("an event was emitted")
	}
	if err := k1s.Delete(ctx, widget(t, a, ""), k1s.DeleteOptions{}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestHost_default(t *testing.T) {
	host := k1stest.New(t)
	handler := k1s.DefaultKind(widgets.APIVersion, widgets.Kind, func(_ context.Context, o *k1s.Object) error {
		if _, there := o.GetInt("spec", "size"); there {
			return errors.New("it has one")
		}
		return o.SetInt(3, "spec", "size")
	})
	o := widget(t, a, `{"spec":{"tags":["x"]}}`)
	if err := host.Default(handler, o); err != nil {
		t.Fatal(err)
	}
	if spec, _ := o.GetRaw("spec"); spec != `{"tags":["x"],"size":3}` {
		t.Errorf("spec %s", spec)
	}
	if err := host.Default(handler, o); !k1s.IsInvalid(err) {
		t.Errorf("error %v", err)
	}
}

func TestHost_finalize(t *testing.T) {
	host := k1stest.New(t)
	host.Add(widget(t, a, ""))
	steps := []struct {
		result k1s.Result
		err    error
	}{{k1s.Result{}, errors.New("later")}, {k1s.Result{RequeueAfter: time.Second}, nil}, {}}
	for i, step := range steps {
		handler := k1s.FinalizeKind(widgets.APIVersion, widgets.Kind, func(_ context.Context, req k1s.Request, o *k1s.Object) (k1s.Result, error) {
			meta := o.Meta()
			if !meta.IsBeingDeleted() || !meta.HasFinalizer(k1stest.Finalizer) || len(meta.Finalizers) != 1 {
				t.Errorf("step %d: got %+v", i, meta)
			}
			if want := []int{1, 2, 1}[i]; req.Attempt != want {
				t.Errorf("step %d: attempt %d", i, req.Attempt)
			}
			return step.result, step.err
		})
		result, err := host.Finalize(handler, a)
		if result != step.result || !errors.Is(err, step.err) {
			t.Errorf("step %d: got %+v, %v", i, result, err)
		}
		if deleted := host.Object(widgets, a) == nil; deleted != (i == 2) {
			t.Errorf("step %d: gone is %v", i, deleted)
		}
	}
}
