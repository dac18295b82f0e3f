// SPDX-License-Identifier: Apache-2.0

package api

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/table"
)

type bound struct {
	Name, Spec, Repeat, Entries, Field string
	In, Out                            table.JSON
}

// specWith returns the spec with a value.
func (b bound) specWith(t *testing.T, value table.JSON) string {
	t.Helper()
	text := string(value)
	if b.Repeat+b.Entries != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		if text = strings.Repeat(b.Repeat, n); b.Entries != "" {
			var list []string
			for i := range n {
				list = append(list, strings.ReplaceAll(b.Entries, "#", strconv.Itoa(i)))
			}
			text = "[" + strings.Join(list, ", ") + "]"
		}
	}
	spec := strings.ReplaceAll(b.Spec, "@", text)
	if !strings.Contains(spec, "source:") {
		spec = source + ", " + spec
	}
	return "{" + spec + "}"
}

// TestWasmPlugin_bounds tests the last valid and the first invalid value of every limit.
func TestWasmPlugin_bounds(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	ns := env.Namespace(t)
	for _, tc := range table.Read[bound](t, "bounds.yaml") {
		t.Run(tc.Name, func(t *testing.T) {
			t.Parallel()
			if err := create(t, env, ns, tc.Name, tc.specWith(t, tc.In)); err != nil {
				t.Errorf("%.80v is rejected: %v", tc.In, err)
			}
			if err := create(t, env, ns, tc.Name+"-out", tc.specWith(t, tc.Out)); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), tc.Field) {
				t.Errorf("%.80v: got %v, want it rejected for %s", tc.Out, err, tc.Field)
			}
		})
	}
}

// TestWasmPlugin_listsThroughUpdates writes security lists with the typed client, from absent to empty and back. An
// absent list means everything and an empty one means nothing.
func TestWasmPlugin_listsThroughUpdates(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	wp := &pluginsv1alpha1.WasmPlugin{
		ObjectMeta: metav1.ObjectMeta{Namespace: env.Namespace(t), Name: "lists"},
		Spec:       pluginsv1alpha1.WasmPluginSpec{Source: pluginsv1alpha1.Source{ConfigMap: &pluginsv1alpha1.ConfigMapSource{Name: "a"}}},
	}
	env.Create(t, wp)
	kinds := func(s pluginsv1alpha1.Security) (lists [3]string) {
		for i, l := range []any{s.AllowedResources, s.AllowedVerbs, s.AllowedNamespaces} {
			lists[i] = strings.SplitAfterN(fmt.Sprintf("%#v", l), "{", 2)[0] // distinguishes nil from empty
		}
		return lists
	}
	for _, s := range []pluginsv1alpha1.Security{
		{AllowedResources: []string{}, AllowedVerbs: []pluginsv1alpha1.Verb{}, AllowedNamespaces: []string{}},
		{},
		{AllowedVerbs: []pluginsv1alpha1.Verb{}},
		{AllowedResources: []string{"items"}, AllowedNamespaces: []string{}},
	} {
		wp.Spec.Security = s
		env.Update(t, wp)
		var got pluginsv1alpha1.WasmPlugin
		env.Get(t, client.ObjectKeyFromObject(wp), &got)
		if kinds(got.Spec.Security) != kinds(s) {
			t.Errorf("wrote %#v, read %#v", s, got.Spec.Security)
		}
		wp = &got
	}
}
