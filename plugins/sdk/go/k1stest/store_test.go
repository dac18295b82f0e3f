// SPDX-License-Identifier: Apache-2.0

package k1stest_test

import (
	"context"
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

var (
	ctx     = context.Background()
	widgets = k1s.TypeReference{APIVersion: "example.com/v1", Kind: "Widget"}
	a       = k1s.Key{Namespace: "shop", Name: "a"}
)

// widget returns an object with its kind, its key and the given other members.
func widget(t *testing.T, key k1s.Key, more string) *k1s.Object {
	t.Helper()
	o := k1s.NewObject(widgets.APIVersion, widgets.Kind, key)
	if more != "" {
		changes, err := k1s.ParseObject(more)
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range []string{"metadata", "spec", "status"} {
			if raw, ok := changes.GetRaw(member); ok {
				if err := o.SetRaw(raw, member); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := o.SetString(key.Namespace, "metadata", "namespace"); err != nil {
			t.Fatal(err)
		}
		if err := o.SetString(key.Name, "metadata", "name"); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// field returns a field of the stored Widget a, or "".
func field(host *k1stest.Host, path ...string) json.Raw {
	o := host.Object(widgets, a)
	if o == nil {
		return ""
	}
	raw, _ := o.GetRaw(path...)
	return raw
}

func TestHost_createSetsWhatAServerSets(t *testing.T) {
	host := k1stest.New(t)
	o := widget(t, a, `{"metadata":{"uid":"mine","generation":9},"spec":{"size":1},"status":{"phase":"x"}}`)
	if err := k1s.Create(ctx, o); err != nil {
		t.Fatal(err)
	}
	meta := o.Meta()
	if meta.UID != "uid-1" || meta.Generation != 1 || meta.ResourceVersion != "1" || meta.CreationTimestamp != "2026-01-01T00:00:00Z" {
		t.Errorf("metadata %+v", meta)
	}
	if _, ok := o.GetRaw("status"); ok {
		t.Error("the status was created along with the object")
	}
	if err := k1s.Create(ctx, o); k1s.ReasonOf(err) != k1s.ReasonBadRequest {
		t.Errorf("with a resource version: %v", err)
	}
	if err := k1s.Create(ctx, widget(t, k1s.Key{}, "")); !k1s.IsInvalid(err) {
		t.Errorf("without a name: %v", err)
	}
	for _, want := range []string{"w-00002", "w-00003"} {
		o := k1s.NewObject("v1", "ConfigMap", k1s.Key{})
		if err := o.SetString("w-", "metadata", "generateName"); err != nil {
			t.Fatal(err)
		}
		if err := k1s.Create(ctx, o); err != nil || o.GetName() != want {
			t.Errorf("generated name %q, %v; want %q", o.GetName(), err, want)
		}
	}
	if got := len(host.Writes()); got != 5 {
		t.Errorf("%d writes are recorded", got)
	}
}

func TestHost_updateAndStatusAreApart(t *testing.T) {
	host := k1stest.New(t)
	host.Add(widget(t, a, `{"spec":{"size":1},"status":{"others":1}}`))
	update := func(do func(context.Context, k1s.Resource) error, more string) error {
		o := widget(t, a, more)
		if err := o.SetRaw(field(host, "metadata", "resourceVersion"), "metadata", "resourceVersion"); err != nil {
			t.Fatal(err)
		}
		return do(ctx, o)
	}
	for _, step := range []struct {
		name                      string
		do                        func(context.Context, k1s.Resource) error
		more                      string
		size, phase, generation   json.Raw
		label, resourceVersionNow json.Raw
	}{
		{"the spec alone", k1s.Update, `{"spec":{"size":2},"status":{"phase":"new"}}`, "2", "", "2", "", `"2"`},
		{"nothing new", k1s.Update, `{"spec":{"size":2}}`, "2", "", "2", "", `"2"`},
		{"labels keep the generation", k1s.Update, `{"metadata":{"labels":{"l":"v"}},"spec":{"size":2}}`, "2", "", "2", `"v"`, `"3"`},
		{"the status alone", k1s.UpdateStatus, `{"spec":{"size":5},"status":{"phase":"new"}}`, "2", `"new"`, "2", `"v"`, `"4"`},
		{"its own again", k1s.UpdateStatus, `{"status":{"phase":"newer"}}`, "2", `"newer"`, "2", `"v"`, `"5"`},
		{"no status", k1s.UpdateStatus, `{}`, "2", ``, "2", `"v"`, `"6"`},
	} {
		if err := update(step.do, step.more); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		for path, want := range map[[2]string]json.Raw{
			{"spec", "size"}: step.size, {"status", "phase"}: step.phase, {"metadata", "generation"}: step.generation,
			{"metadata", "resourceVersion"}: step.resourceVersionNow,
		} {
			if got := field(host, path[0], path[1]); got != want {
				t.Errorf("%s: %s = %s, want %s", step.name, path, got, want)
			}
		}
		if got := field(host, "metadata", "labels", "l"); got != step.label {
			t.Errorf("%s: label %s, want %s", step.name, got, step.label)
		}
	}
	if err := update(k1s.UpdateStatus, `{"status":{"phase":"mine"}}`); err != nil {
		t.Error(err)
	}
	stale := widget(t, a, `{"metadata":{"resourceVersion":"1"},"status":{}}`)
	if err := k1s.UpdateStatus(ctx, stale); !k1s.IsConflict(err) {
		t.Errorf("the status of what has changed: %v", err)
	}
	if err := k1s.Update(ctx, widget(t, a, "")); !k1s.IsInvalid(err) {
		t.Errorf("without a resource version: %v", err)
	}
	if err := k1s.Update(ctx, widget(t, k1s.Key{Name: "gone"}, "")); !k1s.IsNotFound(err) {
		t.Errorf("of what is not there: %v", err)
	}
}

func TestHost_deleteWaitsForFinalizers(t *testing.T) {
	host := k1stest.New(t)
	host.Add(widget(t, a, `{"metadata":{"finalizers":["x"]}}`))
	if err := k1s.Delete(ctx, widget(t, a, ""), k1s.DeleteOptions{UID: "other"}); !k1s.IsConflict(err) {
		t.Errorf("with another uid: %v", err)
	}
	for range 2 {
		if err := k1s.Delete(ctx, widget(t, a, ""), k1s.DeleteOptions{UID: "uid-1"}); err != nil {
			t.Fatal(err)
		}
		if got := field(host, "metadata", "deletionTimestamp"); got != `"2026-01-01T00:00:00Z"` {
			t.Fatalf("deletionTimestamp %s", got)
		}
	}
	o := host.Object(widgets, a)
	if err := o.Remove("metadata", "finalizers"); err != nil {
		t.Fatal(err)
	}
	if err := k1s.Update(ctx, o); err != nil {
		t.Fatal(err)
	}
	if err := k1s.Delete(ctx, o, k1s.DeleteOptions{}); !k1s.IsNotFound(err) {
		t.Errorf("after the last finalizer it is still there: %v", err)
	}
}

func TestHost_patches(t *testing.T) {
	for name, c := range map[string]struct {
		kind   k1s.PatchType
		patch  json.Raw
		want   json.Raw // the expected spec
		reason k1s.Reason
	}{
		"merge":                 {k1s.MergePatch, `{"spec":{"size":2,"tags":null,"new":{"a":1}},"status":{"phase":"x"}}`, `{"new":{"a":1},"size":2}`, ""},
		"merge to no object":    {k1s.MergePatch, `7`, ``, k1s.ReasonInvalid},
		"json":                  {k1s.JSONPatch, `[{"op":"test","path":"/spec/size","value":1},{"op":"replace","path":"/spec/size","value":3},{"op":"add","path":"/spec/tags/-","value":"z"},{"op":"add","path":"/spec/tags/0","value":"first"},{"op":"remove","path":"/spec/tags/1"}]`, `{"size":3,"tags":["first","z"]}`, ""},
		"json test that fails":  {k1s.JSONPatch, `[{"op":"test","path":"/spec/size","value":2}]`, ``, k1s.ReasonInvalid},
		"json path of nothing":  {k1s.JSONPatch, `[{"op":"remove","path":"/spec/zzz"}]`, ``, k1s.ReasonInvalid},
		"json index of nothing": {k1s.JSONPatch, `[{"op":"replace","path":"/spec/tags/9","value":1}]`, ``, k1s.ReasonInvalid},
		"json escapes":          {k1s.JSONPatch, `[{"op":"add","path":"/spec/a~1b~0","value":1},{"op":"remove","path":"/spec/tags"}]`, `{"a/b~":1,"size":1}`, ""},
		"strategic":             {k1s.StrategicPatch, `{}`, ``, k1s.ReasonBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			host := k1stest.New(t)
			host.Add(widget(t, a, `{"spec":{"size":1,"tags":["a"]},"status":{"phase":"old"}}`))
			o := widget(t, a, "")
			if err := k1s.Patch(ctx, o, c.kind, c.patch); k1s.ReasonOf(err) != c.reason || (err != nil) != (c.reason != "") {
				t.Fatalf("error %v, want reason %q", err, c.reason)
			}
			if c.reason != "" {
				return
			}
			if got := field(host, "spec"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if got, _ := o.GetRaw("spec"); got != c.want {
				t.Errorf("the answer has %s, want %s", got, c.want)
			}
		})
	}
}
