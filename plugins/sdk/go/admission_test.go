// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// gauge is a type that has only some fields of its kind.
type gauge struct {
	ObjectMeta
	unit   string
	levels []int64
}

func (*gauge) TypeRef() TypeReference {
	return TypeReference{APIVersion: "example.com/v1", Kind: "Gauge"}
}

func (g *gauge) UnmarshalK1s(d *json.Decoder) {
	*g = gauge{}
	for name := range d.Members() {
		switch name {
		case "metadata":
			g.ObjectMeta.UnmarshalK1s(d)
		case "spec":
			for name := range d.Members() {
				switch name {
				case "unit":
					g.unit = d.String()
				case "marks":
					for range d.Elements() {
						var level int64
						for name := range d.Members() {
							if name == "level" {
								level = d.Int()
							}
						}
						g.levels = append(g.levels, level)
					}
				}
			}
		}
	}
}

func (g *gauge) MarshalK1s(e *json.Encoder) {
	e.BeginObject()
	g.TypeRef().WriteMembers(e)
	e.Key("metadata").Value(&g.ObjectMeta)
	e.Key("spec").BeginObject()
	optional(e, "unit", g.unit)
	if len(g.levels) > 0 {
		e.Key("marks").BeginArray()
		for _, level := range g.levels {
			e.BeginObject()
			if level != 0 {
				e.Key("level").Int(level)
			}
			e.EndObject()
		}
		e.EndArray()
	}
	e.EndObject()
	e.EndObject()
}

func registers(handlers ...AdmissionHandler) *registration {
	return &registration{plugin: &Plugin{Name: "a", Version: "1", Admission: handlers}}
}

// request returns the input of an export for a Gauge.
func request(object, old string) string {
	return `{"apiVersion":"example.com/v1","kind":"Gauge","namespace":"shop","name":"g","later":[1],"object":` + object + `,"oldObject":` + old + `}`
}

const (
	metres = `{"metadata":{"name":"g"},"spec":{"unit":"m"}}`
	feet   = `{"metadata":{"name":"g"},"spec":{"unit":"ft"}}`
)

func TestServeAdmission_validatesWhatIsWanted(t *testing.T) {
	t.Parallel()
	var called []string
	r := registers(Validate(Validator[*gauge]{
		Create: func(_ context.Context, g *gauge) (Warnings, error) {
			called = append(called, "create "+g.unit)
			return Warnings{"created", "", "twice"}, nil
		},
		Update: func(_ context.Context, old, g *gauge) (Warnings, error) {
			called = append(called, "update "+old.unit+" to "+g.unit)
			return nil, nil
		},
	}))
	for _, c := range []struct {
		operation          Operation
		object, old, reply string
	}{
		{OperationCreate, metres, "null", `{"warnings":["created","twice"]}`},
		{OperationUpdate, metres, feet, ""},
		{OperationDelete, "null", feet, ""},
	} {
		reply, err := serveAdmission(r, CapabilityValidation, c.operation, request(c.object, c.old))
		if err != nil || string(reply) != c.reply {
			t.Errorf("%s: got %s, %v, want %s", c.operation, reply, err, c.reply)
		}
	}
	if got := strings.Join(called, ", "); got != "create m, update ft to m" {
		t.Errorf("called: %s", got)
	}
	// A request for which the plugin has no function is allowed, whatever it is.
	for name, c := range map[string]struct {
		capability Capability
		input      string
	}{
		"another kind":       {CapabilityValidation, strings.Replace(request(metres, "null"), "Gauge", "Clock", 1)},
		"another capability": {CapabilityDefaulting, request(metres, "null")},
	} {
		if reply, err := serveAdmission(r, c.capability, OperationCreate, c.input); err != nil || len(reply) > 0 {
			t.Errorf("%s: got %s, %v", name, reply, err)
		}
	}
}

func TestServeAdmission_errors(t *testing.T) {
	t.Parallel()
	says := func(err error) AdmissionHandler {
		return Validate(Validator[*gauge]{Create: func(context.Context, *gauge) (Warnings, error) { return Warnings{"w"}, err }})
	}
	for name, c := range map[string]struct {
		handler AdmissionHandler
		input   string
		want    string // code, reason and message
	}{
		"plain error is a no":    {says(errors.New("too wide")), request(metres, "null"), `"code":422,"reason":"Invalid","message":"too wide"`},
		"Error keeps reason":     {says(NewError(ReasonForbidden, "not you")), request(metres, "null"), `"code":403,"reason":"Forbidden","message":"not you"`},
		"reason of the author's": {says(NewError("TooWide", "by far")), request(metres, "null"), `"reason":"TooWide","message":"by far"`},
		"wrapped Error does":     {says(fmt.Errorf("look: %w", NewError(ReasonTimeout, "late"))), request(metres, "null"), `"code":504,"reason":"Timeout","message":"look: late"`},
		"cannot tell":            {says(CannotTell(NewError(ReasonNotFound, "no category"))), request(metres, "null"), `"code":500,"reason":"InternalError","message":"no category"`},
		"panic cannot tell":      {DefaultKind("example.com/v1", "Gauge", func(context.Context, *Object) error { panic("oh") }), request(metres, "null"), `"code":500,"reason":"InternalError","message":"panic: oh"`},
		"unreadable object":      {says(nil), request(`{"spec":7}`, "null"), `"code":422,"reason":"Invalid","message":"decode Gauge: spec: want an object, found a number (at byte 8)"`},
		"unreadable old object":  {says(nil), request(metres, `{"spec":7}`), `"code":500,"reason":"InternalError","message":"decode the Gauge that is stored: spec: want an object, found a number (at byte 8)"`},
		"input that is no JSON":  {says(nil), `{`, `"code":500,"reason":"InternalError","message":"want a name in quotes, found the end (at byte 1)"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reply, err := serveAdmission(registers(c.handler), c.handler.capability, OperationCreate, c.input)
			if err == nil {
				t.Fatalf("no error but %s", reply)
			}
			if got, want := string(statusOf(err)), `{"apiVersion":"v1","kind":"Status","status":"Failure",`+c.want+`}`; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	if CannotTell(nil) != nil {
		t.Error("CannotTell makes an error of none")
	}
}

func TestWarnings_reply(t *testing.T) {
	t.Parallel()
	many := make(Warnings, 20)
	for i := range many {
		many[i] = "w"
	}
	for name, c := range map[string]struct {
		warnings Warnings
		want     string
	}{
		"none":                 {nil, ""},
		"only empty ones":      {Warnings{"", ""}, ""},
		"one":                  {Warnings{`"a"`}, `{"warnings":["\"a\""]}`},
		"as long as may be":    {Warnings{strings.Repeat("x", 256)}, `{"warnings":["` + strings.Repeat("x", 256) + `"]}`},
		"too long":             {Warnings{strings.Repeat("x", 257)}, `{"warnings":["` + strings.Repeat("x", 253) + `…"]}`},
		"cut in a character":   {Warnings{"xx" + strings.Repeat("€", 100)}, `{"warnings":["xx` + strings.Repeat("€", 83) + `…"]}`},
		"more than are passed": {many, `{"warnings":["w"` + strings.Repeat(`,"w"`, 15) + `]}`},
	} {
		if got := string(c.warnings.reply()); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// Fields that the type does not have stay as they are, at every level.
func TestServeAdmission_defaults(t *testing.T) {
	t.Parallel()
	const object = `{"apiVersion":"example.com/v1","kind":"Gauge","metadata":{"name":"g","managedFields":[{}]},` +
		`"spec":{"marks":[{"level":1,"color":"red"},{"color":"blue"}],"owner":{"name":"jo"}},"status":{"seen":true}}`
	for name, c := range map[string]struct {
		change func(*gauge)
		object string
		want   string
	}{
		"nothing":      {func(*gauge) {}, object, ""},
		"a field":      {func(g *gauge) { g.unit = "m" }, object, strings.Replace(object, `"owner":{"name":"jo"}`, `"owner":{"name":"jo"},"unit":"m"`, 1)},
		"a label":      {func(g *gauge) { g.Labels = map[string]string{"a": "b"} }, object, strings.Replace(object, `[{}]`, `[{}],"labels":{"a":"b"}`, 1)},
		"in a list":    {func(g *gauge) { g.levels[1] = 5 }, object, strings.Replace(object, `"blue"`, `"blue","level":5`, 1)},
		"a list grows": {func(g *gauge) { g.levels = append(g.levels, 9) }, object, strings.Replace(object, `[{"level":1,"color":"red"},{"color":"blue"}]`, `[{"level":1,"color":"red"},{"color":"blue"},{"level":9}]`, 1)},
		"a list goes":  {func(g *gauge) { g.levels = nil }, object, strings.Replace(object, `"marks":[{"level":1,"color":"red"},{"color":"blue"}],`, ``, 1)},
		"no spec":      {func(g *gauge) { g.unit = "m" }, `{"metadata":{"name":"g"}}`, `{"metadata":{"name":"g"},"spec":{"unit":"m"}}`},
		"a null spec":  {func(g *gauge) { g.unit = "m" }, `{"spec":null}`, `{"spec":{"unit":"m"}}`},
		"twice the same member": {
			func(g *gauge) { g.unit += "m" }, `{"spec":{"unit":"a","unit":"k","x":1}}`, `{"spec":{"unit":"km","unit":"km","x":1}}`,
		},
		"deleted": {func(g *gauge) { g.unit = "m" }, "null", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := registers(Default(func(_ context.Context, g *gauge) error {
				c.change(g)
				return nil
			}))
			reply, err := serveAdmission(r, CapabilityDefaulting, OperationUpdate, request(c.object, "null"))
			if err != nil || string(reply) != c.want {
				t.Errorf("got  %s, %v\nwant %s", reply, err, c.want)
			}
		})
	}
}

func TestServeAdmission_defaultsOfAnyKind(t *testing.T) {
	t.Parallel()
	r := registers(DefaultKind("example.com/v1", "Gauge", func(_ context.Context, o *Object) error {
		return errors.Join(o.SetString("m", "spec", "unit"), o.Remove("spec", "old"))
	}))
	reply, err := serveAdmission(r, CapabilityDefaulting, OperationUpdate, request(`{"spec":{"old":1,"x":2}}`, "null"))
	if want := `{"spec":{"x":2,"unit":"m"}}`; err != nil || string(reply) != want {
		t.Errorf("got %s, %v, want %s", reply, err, want)
	}
	reply, err = serveAdmission(r, CapabilityDefaulting, OperationUpdate, request(string(reply), "null"))
	if err != nil || len(reply) > 0 {
		t.Errorf("once more: got %s, %v", reply, err)
	}
}

func TestServeAdmission_admits(t *testing.T) {
	t.Parallel()
	const input = `{"apiVersion":"example.com/v1","kind":"Gauge","namespace":"shop","name":"g","object":null,"oldObject":` + feet + `,` +
		`"uid":"u1","operation":"DELETE","dryRun":true,"userInfo":{"username":"jane","uid":"42","groups":["a","b"],"extra":{"s":["x","y"]}},` +
		`"options":{"kind":"DeleteOptions"}}`
	calls := 0
	handler := Admit(Admitter[*gauge]{
		Operations: []Operation{OperationDelete},
		Admit: func(_ context.Context, req AdmissionRequest[*gauge]) (Warnings, error) {
			calls++
			if req.Object != nil || req.OldObject.unit != "ft" || req.UID != "u1" || req.Operation != OperationDelete || !req.DryRun ||
				req.Key.String() != "shop/g" || req.Kind != "Gauge" || req.Options != `{"kind":"DeleteOptions"}` {
				t.Errorf("got %+v", req)
			}
			text, err := json.Marshal(&req.UserInfo)
			return Warnings{string(text)}, err
		},
	})
	reply, err := serveAdmission(registers(handler), CapabilityAdmission, "", input)
	want := `{"warnings":["{\"username\":\"jane\",\"uid\":\"42\",\"groups\":[\"a\",\"b\"],\"extra\":{\"s\":[\"x\",\"y\"]}}"]}`
	if err != nil || string(reply) != want {
		t.Errorf("got  %s, %v\nwant %s", reply, err, want)
	}
	reply, err = serveAdmission(registers(handler), CapabilityAdmission, "", strings.Replace(input, "DELETE", "CREATE", 1))
	if err != nil || len(reply) > 0 || calls != 1 {
		t.Errorf("an operation that is not wanted: got %s, %v after %d calls", reply, err, calls)
	}
}

func TestServeFinalize(t *testing.T) {
	t.Parallel()
	r := &registration{plugin: &Plugin{
		Name: "a", Version: "1",
		Reconcilers: []Handler{forConfigMaps()},
		Finalizers: []Handler{FinalizeKind("v1", "Secret", func(_ context.Context, req Request, o *Object) (Result, error) {
			if o.GetName() != req.Name || req.Attempt != 2 {
				t.Errorf("got %+v", req)
			}
			return Result{RequeueAfter: 1}, nil
		})},
	}}
	const secret = `{"apiVersion":"v1","kind":"Secret","name":"s","object":{"metadata":{"name":"s"}},"attempt":2}`
	if reply, err := serveFinalize(r, secret); err != nil || string(reply) != `{"requeueAfterMillis":1}` {
		t.Errorf("got %s, %v", reply, err)
	}
	// Both exports are called for each kind, also if the author has written a handler for only one of them.
	if reply, err := serveFinalize(r, strings.Replace(secret, "Secret", "ConfigMap", 1)); err != nil || len(reply) > 0 {
		t.Errorf("a kind that is only reconciled: got %s, %v", reply, err)
	}
	if reply, err := serveReconcile(r, secret); err != nil || len(reply) > 0 {
		t.Errorf("a kind that is only finalized: got %s, %v", reply, err)
	}
	if _, err := serveFinalize(r, strings.Replace(secret, "Secret", "Pod", 1)); ReasonOf(err) != ReasonBadRequest {
		t.Errorf("another kind: got %v", err)
	}
}
