// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

// parse returns an Item with the given spec.
func parse(t *testing.T, spec string) *k1s.Object {
	t.Helper()
	o, err := k1s.ParseObject(`{"apiVersion":"inventory.example.com/v1alpha1","kind":"Item","metadata":{"name":"hammer","namespace":"shop"},"spec":` + spec + `}`)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

const noPrice = "spec.price is not set: the item is in stock and cannot be sold"

// Each case is validated at both levels: what strict denies, lenient warns of.
func TestValidate_create(t *testing.T) {
	for name, c := range map[string]struct {
		spec   string
		broken []string
		advice []string // warnings at both levels
	}{
		"an orderly item":         {`{"name":"Hammer","quantity":3,"price":1999,"category":"tools","tags":["steel","new"]}`, nil, nil},
		"the least":               {`{"name":"Hammer"}`, nil, nil},
		"without a price":         {`{"name":"Hammer","quantity":1}`, nil, []string{noPrice}},
		"sold out":                {`{"name":"Hammer","quantity":0}`, nil, nil},
		"discontinued":            {`{"name":"Hammer","quantity":1,"tags":["Discontinued"]}`, nil, nil},
		"blank before the name":   {`{"name":" Hammer"}`, []string{"spec.name must not begin or end with a blank"}, nil},
		"tab behind the name":     {`{"name":"Hammer\t"}`, []string{"spec.name must not begin or end with a blank"}, nil},
		"blanks within the name":  {`{"name":"Claw  hammer"}`, nil, nil},
		"premium without a price": {`{"name":"Ring","quantity":1,"category":"premium-rings"}`, []string{`spec.price must be set in the category "premium-rings"`}, nil},
		"premium with a price":    {`{"name":"Ring","quantity":1,"category":"premium-rings","price":1}`, nil, nil},
		"tags that differ in case": {
			`{"name":"Hammer","tags":["Steel","new","steel","STEEL"]}`,
			[]string{`spec.tags must not have both "Steel" and "steel"`, `spec.tags must not have both "Steel" and "STEEL"`, `spec.tags must not have both "steel" and "STEEL"`}, nil,
		},
		"a tag with a blank": {`{"name":"Hammer","tags":["steel "]}`, []string{`spec.tags must not have "steel ", which begins or ends with a blank`}, nil},
		"reserved and discontinued": {
			`{"name":"Hammer","tags":["discontinued","Reserved"]}`,
			[]string{"spec.tags must not have both reserved and discontinued: nobody can wait for what is not sold"}, nil,
		},
		"several at once": {
			`{"name":"Ring ","quantity":1,"category":"premium","tags":[" a"]}`,
			[]string{
				"spec.name must not begin or end with a blank", `spec.price must be set in the category "premium"`,
				`spec.tags must not have " a", which begins or ends with a blank`,
			}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			host := k1stest.New(t)
			warnings, err := host.ValidateCreate(validates(&settings{}), parse(t, c.spec))
			denied(t, err, c.broken)
			if err == nil && !slices.Equal(warnings, c.advice) {
				t.Errorf("strict warns %q, want %q", warnings, c.advice)
			}
			warnings, err = host.ValidateCreate(validates(&settings{lenient: true}), parse(t, c.spec))
			if want := slices.Concat(c.broken, c.advice); err != nil || !slices.Equal(warnings, want) {
				t.Errorf("lenient: %v and %q, want %q", err, warnings, want)
			}
			if calls := host.Calls(); len(calls) > 0 {
				t.Errorf("the answer depends on %+v", calls)
			}
		})
	}
}

func TestValidate_update(t *testing.T) {
	const jump = " at once: it is in cents; if that is meant, take the price off first"
	for name, c := range map[string]struct {
		old, spec string
		broken    []string
	}{
		"what was wrong before":   {`{"name":" Hammer"}`, `{"name":" Hammer","description":"new"}`, nil},
		"what becomes wrong":      {`{"name":"Hammer"}`, `{"name":" Hammer"}`, []string{"spec.name must not begin or end with a blank"}},
		"another wrong":           {`{"name":" Hammer"}`, `{"name":" Hammer","tags":["a "]}`, []string{`spec.tags must not have "a ", which begins or ends with a blank`}},
		"reserved to the last":    {`{"name":"H","quantity":2,"tags":["reserved"]}`, `{"name":"H","quantity":1,"price":5,"tags":["reserved"]}`, nil},
		"reserved and sold":       {`{"name":"H","quantity":2,"tags":["reserved"]}`, `{"name":"H","quantity":0}`, nil},
		"reserved and gone":       {`{"name":"H","quantity":2,"tags":["reserved"]}`, `{"name":"H","quantity":0,"tags":["reserved"]}`, []string{"spec.quantity must not drop to 0 while the item is reserved: sell it and take the tag off, or keep one"}},
		"reserved and never here": {`{"name":"H","quantity":0,"tags":["reserved"]}`, `{"name":"Hammer","quantity":0,"tags":["reserved"]}`, nil},
		"price":                   {`{"name":"H","price":100}`, `{"name":"H","price":999}`, nil},
		"price in euros":          {`{"name":"H","price":1999}`, `{"name":"H","price":19}`, []string{"spec.price must not go from 1999 cents to 19 cents" + jump}},
		"price of cents":          {`{"name":"H","price":100}`, `{"name":"H","price":1000}`, []string{"spec.price must not go from 100 cents to 1000 cents" + jump}},
		"price taken off":         {`{"name":"H","price":1999}`, `{"name":"H"}`, nil},
		"price put on":            {`{"name":"H"}`, `{"name":"H","price":1999}`, nil},
		"premium loses its price": {`{"name":"H","category":"premium","price":1}`, `{"name":"H","category":"premium"}`, []string{`spec.price must be set in the category "premium"`}},
	} {
		t.Run(name, func(t *testing.T) {
			host := k1stest.New(t)
			_, err := host.ValidateUpdate(validates(&settings{}), parse(t, c.old), parse(t, c.spec))
			denied(t, err, c.broken)
			warnings, err := host.ValidateUpdate(validates(&settings{lenient: true}), parse(t, c.old), parse(t, c.spec))
			if err != nil || !slices.Equal(warnings, c.broken) {
				t.Errorf("lenient: %v and %q, want %q", err, warnings, c.broken)
			}
		})
	}
}

func denied(t *testing.T, err error, broken []string) {
	t.Helper()
	switch {
	case len(broken) == 0 && err != nil:
		t.Errorf("denied: %v", err)
	case len(broken) > 0 && (!k1s.IsInvalid(err) || err.Error() != strings.Join(broken, "; ")):
		t.Errorf("got %v, want Invalid: %q", err, broken)
	}
}

func TestDefault(t *testing.T) {
	for name, c := range map[string]struct{ category, spec, want string }{
		"none":            {"misc", `{"name":"H","future":{"a":[1]}}`, `{"name":"H","future":{"a":[1]},"category":"misc"}`},
		"an empty one":    {"misc", `{"category":"","name":"H"}`, `{"category":"misc","name":"H"}`},
		"null":            {"misc", `{"category":null}`, `{"category":"misc"}`},
		"one":             {"misc", `{"category":"tools"}`, `{"category":"tools"}`},
		"no setting":      {"", `{"name":"H"}`, `{"name":"H"}`},
		"nothing at all":  {"misc", `{}`, `{"category":"misc"}`},
		"null for a spec": {"misc", `null`, `{"category":"misc"}`},
	} {
		t.Run(name, func(t *testing.T) {
			o := parse(t, c.spec)
			if err := k1stest.New(t).Default(defaults(&settings{defaultCategory: c.category}), o); err != nil {
				t.Fatal(err)
			}
			if got, _ := o.GetRaw("spec"); got != json.Raw(c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if name := o.GetName(); name != "hammer" {
				t.Errorf("name %q", name)
			}
		})
	}
}
