// SPDX-License-Identifier: Apache-2.0

package conditions

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestSet(t *testing.T) {
	t.Parallel()
	var got []metav1.Condition
	s := For(&got, 3)
	s.True("A", "Good", "a")
	s.False("B", "Bad", "b")
	s.Unknown("C", "Pending", "c")
	s.False("A", "Worse", "a again")
	want := []metav1.Condition{
		{Type: "A", Status: metav1.ConditionFalse, Reason: "Worse", Message: "a again", ObservedGeneration: 3},
		{Type: "B", Status: metav1.ConditionFalse, Reason: "Bad", Message: "b", ObservedGeneration: 3},
		{Type: "C", Status: metav1.ConditionUnknown, Reason: "Pending", Message: "c", ObservedGeneration: 3},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(metav1.Condition{}, "LastTransitionTime")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestSet_transitionTime shows that the transition time changes with the status only, not with reason or message.
func TestSet_transitionTime(t *testing.T) {
	t.Parallel()
	long := metav1.NewTime(time.Now().Add(-time.Hour))
	conditions := []metav1.Condition{{Type: "A", Status: metav1.ConditionTrue, Reason: "Good", LastTransitionTime: long}}
	For(&conditions, 2).True("A", "Better", "new")
	if c := conditions[0]; !c.LastTransitionTime.Equal(&long) || c.Reason != "Better" || c.ObservedGeneration != 2 {
		t.Errorf("same status: got %+v", c)
	}
	For(&conditions, 2).False("A", "Bad", "new")
	if c := conditions[0]; c.LastTransitionTime.Equal(&long) {
		t.Errorf("another status: got %+v", c)
	}
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]string{
		"empty": "", "short": "short", "just fits": strings.Repeat("x", maxMessage), "one too many": strings.Repeat("x", maxMessage+1),
		"wide characters": strings.Repeat("日", maxMessage), "wide characters, shifted": "x" + strings.Repeat("日", maxMessage),
	} {
		got := Truncate(message)
		switch {
		case len(message) <= maxMessage && got != message:
			t.Errorf("%s: it was changed", name)
		case len(message) > maxMessage && (len(got) > maxMessage || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") ||
			!strings.HasPrefix(message, strings.TrimSuffix(got, "…"))):
			t.Errorf("%s: %d bytes became %d: %q", name, len(message), len(got), got[len(got)-10:])
		}
	}
	var conditions []metav1.Condition
	For(&conditions, 1).True("A", "Good", strings.Repeat("x", 40_000))
	if n := len(conditions[0].Message); n > maxMessage {
		t.Errorf("a condition's message has %d bytes", n)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	c := func(conditionType, status, reason, message string) metav1.Condition {
		return metav1.Condition{Type: conditionType, Status: metav1.ConditionStatus(status), Reason: reason, Message: message}
	}
	before := []metav1.Condition{c("A", "True", "Good", ""), c("B", "True", "Good", ""), c("C", "True", "Good", ""), c("Gone", "True", "Good", "")}
	cases := []struct {
		name, why string
		after     []metav1.Condition
		want      []Change
	}{
		{"nothing", "the same conditions", before, nil},
		{"none left", "what is gone is no change of a condition", nil, nil},
		{"message", "words are no change", []metav1.Condition{c("A", "True", "Good", "new")}, nil},
		{"status", "", []metav1.Condition{c("A", "False", "Good", "")}, []Change{{c("A", "False", "Good", ""), "True"}}},
		{"reason", "", []metav1.Condition{c("A", "True", "Better", "")}, []Change{{c("A", "True", "Better", ""), "True"}}},
		{"new", "it was nothing before", []metav1.Condition{c("D", "False", "Bad", "")}, []Change{{Condition: c("D", "False", "Bad", "")}}},
		{
			"order", "that of the later state", []metav1.Condition{c("C", "False", "Bad", ""), c("A", "False", "Bad", "")},
			[]Change{{c("C", "False", "Bad", ""), "True"}, {c("A", "False", "Bad", ""), "True"}},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, Changes(before, tc.after)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.why, diff)
			}
		})
	}
}

func TestPatch(t *testing.T) {
	t.Parallel()
	env := testenv.Shared(t)
	wp := &pluginsv1alpha1.WasmPlugin{
		ObjectMeta: metav1.ObjectMeta{Namespace: env.Namespace(t), Name: "plugin"},
		Spec:       pluginsv1alpha1.WasmPluginSpec{Source: pluginsv1alpha1.Source{File: &pluginsv1alpha1.FileSource{Path: "a.wasm"}}},
	}
	env.Create(t, wp)
	read := func() *pluginsv1alpha1.WasmPlugin {
		got := &pluginsv1alpha1.WasmPlugin{}
		env.Get(t, client.ObjectKeyFromObject(wp), got)
		return got
	}
	patch := func(ctx context.Context, change func(*pluginsv1alpha1.WasmPlugin)) {
		t.Helper()
		before := read()
		after := before.DeepCopy()
		change(after)
		if err := Patch(ctx, env.Client, before, after, "tester"); err != nil {
			t.Fatal(err)
		}
	}
	ready := func(wp *pluginsv1alpha1.WasmPlugin) {
		wp.Status.ObservedGeneration = 1
		For(&wp.Status.Conditions, 1).True("Ready", "Good", "it works")
	}
	patch(t.Context(), ready)
	first := read()
	if len(first.Status.Conditions) != 1 || first.Status.Conditions[0].Message != "it works" || first.Status.ObservedGeneration != 1 {
		t.Errorf("got %+v", first.Status)
	}
	owned := false
	for _, f := range first.ManagedFields {
		owned = owned || f.Manager == "tester" && f.Subresource == "status"
	}
	if !owned {
		t.Errorf("the status does not belong to the field manager: %+v", first.ManagedFields)
	}
	patch(t.Context(), ready)
	if second := read(); second.ResourceVersion != first.ResourceVersion {
		t.Error("the same status was written again")
	}

	// An object that does not exist is not an error, and no request is sent if nothing has changed.
	before := read()
	after := before.DeepCopy()
	after.Status.ObservedGeneration = 9
	env.Delete(t, before.DeepCopy())
	if err := Patch(t.Context(), env.Client, before, after, "tester"); err != nil {
		t.Errorf("of an object that is gone: %v", err)
	}
	nobody, err := client.New(&rest.Config{Host: "http://127.0.0.1:1"}, client.Options{Scheme: env.Scheme, Mapper: env.Client.RESTMapper()})
	if err != nil {
		t.Fatal(err)
	}
	if err := Patch(t.Context(), nobody, before, before.DeepCopy(), "tester"); err != nil {
		t.Errorf("without a change: %v", err)
	}
	if err := Patch(t.Context(), nobody, before, after, "tester"); err == nil {
		t.Error("with a change that cannot be written: no error")
	}
}
