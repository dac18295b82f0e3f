// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	"maps"
	"slices"
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

const deployment = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop","uid":"u",` +
	`"labels":{"app":"web"}},"spec":{"replicas":3,"paused":true,"template":{"containers":[{"name":"c","args":["-v"]}]}},` +
	`"status":{"conditions":[{"type":"Available","status":"True","reason":"R","message":"","lastTransitionTime":"t"}]}}`

func parse(t *testing.T, text string) *k1s.Object {
	t.Helper()
	o, err := k1s.ParseObject(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestObject_reads(t *testing.T) {
	t.Parallel()
	o := parse(t, deployment)
	if got := o.TypeRef(); got != (k1s.TypeReference{APIVersion: "apps/v1", Kind: "Deployment"}) {
		t.Errorf("TypeRef = %v", got)
	}
	if k1s.KeyOf(o).String() != "shop/web" || o.GetUID() != "u" || o.Meta().Labels["app"] != "web" {
		t.Errorf("metadata = %+v", o.Meta())
	}
	if n, ok := o.GetInt("spec", "replicas"); n != 3 || !ok {
		t.Errorf("GetInt = %d, %v", n, ok)
	}
	if b, ok := o.GetBool("spec", "paused"); !b || !ok {
		t.Errorf("GetBool = %v, %v", b, ok)
	}
	if s, ok := o.GetString("spec", "template", "containers", "0", "name"); s != "c" || !ok {
		t.Errorf("GetString = %q, %v", s, ok)
	}
	if l, ok := o.GetStrings("spec", "template", "containers", "0", "args"); !slices.Equal(l, []string{"-v"}) || !ok {
		t.Errorf("GetStrings = %q, %v", l, ok)
	}
	if m, ok := o.GetStringMap("metadata", "labels"); !maps.Equal(m, map[string]string{"app": "web"}) || !ok {
		t.Errorf("GetStringMap = %v, %v", m, ok)
	}
	if !k1s.IsConditionTrue(o.Conditions(), "Available") {
		t.Errorf("Conditions = %v", o.Conditions())
	}
}

func TestObject_absentAndOtherTypes(t *testing.T) {
	t.Parallel()
	o := parse(t, `{"n":null,"s":"x","i":1.5,"l":["a",1],"m":{"a":1}}`)
	for name, ok := range map[string]bool{
		"absent":       second(o.GetString("z")),
		"null":         second(o.GetString("n")),
		"string":       second(o.GetInt("s")),
		"fraction":     second(o.GetInt("i")),
		"mixed list":   second(o.GetStrings("l")),
		"mixed map":    second(o.GetStringMap("m")),
		"through text": second(o.GetString("s", "x")),
		"not a bool":   second(o.GetBool("s")),
	} {
		if ok {
			t.Errorf("%s: there is a value", name)
		}
	}
}

func second[T any](_ T, ok bool) bool { return ok }

func TestObject_writes(t *testing.T) {
	t.Parallel()
	o := k1s.NewObject("v1", "ConfigMap", k1s.Key{Namespace: "shop", Name: "a"})
	for _, err := range []error{
		o.SetString("v", "data", "k"),
		o.SetInt(3, "n"),
		o.SetBool(true, "b"),
		o.SetStrings([]string{"x"}, "l"),
		o.SetStringMap(map[string]string{"a": "b"}, "metadata", "labels"),
		o.SetRaw(`{"deep":[1]}`, "r"),
		o.SetInt(2, "r", "deep", "1"),
		o.Set(&k1s.Error{Reason: "X"}, "e"),
		o.Remove("b"),
		o.SetConditions([]k1s.Condition{{Type: "T", Status: "True", Reason: "R", LastTransitionTime: "t"}}),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	const want = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"shop","name":"a","labels":{"a":"b"}},` +
		`"data":{"k":"v"},"n":3,"l":["x"],"r":{"deep":[1,2]},` +
		`"e":{"apiVersion":"v1","kind":"Status","status":"Failure","reason":"X","message":""},` +
		`"status":{"conditions":[{"type":"T","status":"True","lastTransitionTime":"t","reason":"R","message":""}]}}`
	parsed := parse(t, want)
	var wanted, got any
	decodeStd(t, string(parsed.Raw()), &wanted)
	decodeStd(t, string(o.Raw()), &got)
	if !equalAny(wanted, got) {
		t.Errorf("got  %s\nwant %s", o.Raw(), want)
	}
	if err := o.SetString("x", "n", "deeper"); err == nil {
		t.Error("a field is set inside a number")
	}
	if err := o.Remove("absent", "path"); err != nil {
		t.Errorf("removing nothing: %v", err)
	}
}

// A condition can have fields that are specific to its kind, like those of Deployments and Pods.
func TestObject_setConditionsKeepsTheirFields(t *testing.T) {
	t.Parallel()
	o := parse(t, `{"status":{"conditions":[{"type":"A","status":"True","lastUpdateTime":"u","reason":"R","message":"","lastTransitionTime":"t"},`+
		`null,{"type":"B","status":"True","severity":"Low"},{"type":"C","status":7,"x":1}]}}`)
	conditions := []k1s.Condition{
		{Type: "B", Status: "True"}, {Type: "D", Status: "True"}, {Type: "A", Status: "False", Reason: "R", LastTransitionTime: "t"},
	}
	if err := o.SetConditions(conditions); err != nil {
		t.Fatal(err)
	}
	const want = `[{"type":"B","status":"True","severity":"Low"},` +
		`{"type":"D","status":"True","lastTransitionTime":"","reason":"","message":""},` +
		`{"type":"A","status":"False","lastUpdateTime":"u","reason":"R","message":"","lastTransitionTime":"t"}]`
	if got, _ := o.GetRaw("status", "conditions"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestObject_parseErrors(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"not an object": `[]`, "null": `null`, "cut off": `{"a":`, "empty": ``} {
		if _, err := k1s.ParseObject(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestObject_zero(t *testing.T) {
	t.Parallel()
	var o k1s.Object
	if text, err := json.Marshal(&o); err != nil || string(text) != "{}" {
		t.Errorf("written as %s, %v", text, err)
	}
	if o.GetName() != "" || o.TypeRef() != (k1s.TypeReference{}) || o.Conditions() != nil {
		t.Error("the zero Object has something")
	}
	if err := o.SetString("v1", "apiVersion"); err != nil || o.TypeRef().APIVersion != "v1" {
		t.Errorf("set on the zero Object: %v, %s", err, o.Raw())
	}
}
