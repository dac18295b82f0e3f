// SPDX-License-Identifier: Apache-2.0

package k1stest_test

import (
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

func TestHost_apply(t *testing.T) {
	type step struct {
		apply string
		force bool
		want  json.Raw // the spec afterwards
		fails bool     // with a Conflict
	}
	for name, steps := range map[string][]step{
		"adds beside what others own": {
			{`{"spec":{"mine":1}}`, false, `{"mine":1,"size":1,"tags":["a"]}`, false},
		},
		"removes what is no longer applied": {
			{`{"spec":{"mine":1,"deep":{"a":1,"b":2}}}`, false, `{"deep":{"a":1,"b":2},"mine":1,"size":1,"tags":["a"]}`, false},
			{`{"spec":{"deep":{"b":2}}}`, false, `{"deep":{"b":2},"size":1,"tags":["a"]}`, false},
			{`{}`, false, `{"size":1,"tags":["a"]}`, false},
		},
		"changes its own": {
			{`{"spec":{"mine":1}}`, false, `{"mine":1,"size":1,"tags":["a"]}`, false},
			{`{"spec":{"mine":2}}`, false, `{"mine":2,"size":1,"tags":["a"]}`, false},
		},
		"conflicts with others": {
			{`{"spec":{"size":2}}`, false, `{"size":1,"tags":["a"]}`, true},
			{`{"spec":{"size":2}}`, true, `{"size":2,"tags":["a"]}`, false},
			{`{"spec":{"size":3}}`, false, `{"size":3,"tags":["a"]}`, false},
		},
		"agrees with others": {
			{`{"spec":{"size":1}}`, false, `{"size":1,"tags":["a"]}`, false},
		},
		"replaces other lists": {
			{`{"spec":{"tags":["b"]}}`, true, `{"size":1,"tags":["b"]}`, false},
		},
	} {
		t.Run(name, func(t *testing.T) {
			host := k1stest.New(t)
			host.Add(widget(t, a, `{"spec":{"size":1,"tags":["a"]}}`))
			for i, s := range steps {
				err := k1s.Apply(ctx, widget(t, a, s.apply), k1s.ApplyOptions{Force: s.force})
				if k1s.IsConflict(err) != s.fails || err != nil && !s.fails {
					t.Fatalf("step %d: error %v", i, err)
				}
				if got := field(host, "spec"); got != s.want {
					t.Fatalf("step %d: spec %s, want %s", i, got, s.want)
				}
			}
		})
	}
}

func TestHost_applyCreates(t *testing.T) {
	host := k1stest.New(t)
	if err := k1s.Apply(ctx, widget(t, a, `{"spec":{"size":1},"status":{"phase":"x"}}`), k1s.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if field(host, "spec", "size") != "1" || field(host, "metadata", "generation") != "1" || field(host, "status") != "" {
		t.Errorf("created %s", host.Object(widgets, a).Raw())
	}
	version := field(host, "metadata", "resourceVersion")
	if err := k1s.Apply(ctx, widget(t, a, `{"spec":{"size":1}}`), k1s.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := field(host, "metadata", "resourceVersion"); got != version {
		t.Errorf("applying the same again moves the resource version from %s to %s", version, got)
	}
}

func TestHost_applyStatusMergesConditions(t *testing.T) {
	host := k1stest.New(t)
	host.Add(widget(t, a, `{"spec":{"size":1},"status":{"count":3,"conditions":[{"type":"Ready","status":"True"}]}}`))
	apply := func(status, want json.Raw) {
		t.Helper()
		o := widget(t, a, `{"spec":{"size":9},"status":`+string(status)+`}`)
		if err := k1s.ApplyStatus(ctx, o, k1s.ApplyOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := field(host, "status"); got != want {
			t.Errorf("status %s, want %s", got, want)
		}
		if got := field(host, "spec"); got != `{"size":1}` {
			t.Errorf("spec %s", got)
		}
	}
	apply(`{"depth":0,"conditions":[{"type":"Mine","status":"False"}]}`,
		`{"conditions":[{"status":"True","type":"Ready"},{"status":"False","type":"Mine"}],"count":3,"depth":0}`)
	apply(`{"conditions":[{"type":"Mine","status":"True"}]}`,
		`{"conditions":[{"status":"True","type":"Ready"},{"status":"True","type":"Mine"}],"count":3}`)
	apply(`{}`, `{"conditions":[{"status":"True","type":"Ready"}],"count":3}`)

	if err := k1s.ApplyStatus(ctx, widget(t, k1s.Key{Name: "gone"}, ""), k1s.ApplyOptions{}); !k1s.IsNotFound(err) {
		t.Errorf("the status of what is not there: %v", err)
	}
}
