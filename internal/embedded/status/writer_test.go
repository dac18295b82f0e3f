// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	"github.com/k1s-io/k1s/internal/embedded/status"
	"github.com/k1s-io/k1s/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// newCategory creates a Category in a namespace of its own.
func newCategory(t *testing.T, env *testenv.Env) *inventoryv1alpha1.Category {
	t.Helper()
	category := &inventoryv1alpha1.Category{
		ObjectMeta: metav1.ObjectMeta{Namespace: env.Namespace(t), Name: "tools"},
		Spec:       inventoryv1alpha1.CategorySpec{Name: "Tools"},
	}
	env.Create(t, category)
	return category
}

// newWriter returns a writer of Categories.
func newWriter(env *testenv.Env, manager string) status.Writer {
	return status.Writer{Client: env.Client, FieldManager: manager, Kind: inventoryv1alpha1.GroupVersion.WithKind("Category")}
}

// refresh reads the Category again.
func refresh(t *testing.T, env *testenv.Env, category *inventoryv1alpha1.Category) {
	t.Helper()
	env.Get(t, client.ObjectKeyFromObject(category), category)
}

func TestWriter_apply_twoManagers(t *testing.T) {
	env := testenv.Shared(t)
	category := newCategory(t, env)
	condition := func(name string) []metav1.Condition {
		return []metav1.Condition{{Type: name, Status: metav1.ConditionTrue, Reason: "Test", LastTransitionTime: metav1.Now()}}
	}
	ours, theirs := newWriter(env, "ours"), newWriter(env, "theirs")
	steps := []struct {
		writer status.Writer
		status inventoryv1alpha1.CategoryStatus
	}{
		{ours, inventoryv1alpha1.CategoryStatus{ItemCount: new(int32(1)), SubcategoryCount: new(int32(2)), Conditions: condition("Ours")}},
		{theirs, inventoryv1alpha1.CategoryStatus{Path: "tools", Conditions: condition("Theirs")}},
		{ours, inventoryv1alpha1.CategoryStatus{ItemCount: new(int32(5))}},
	}
	for i, step := range steps {
		if err := step.writer.Apply(t.Context(), category, &step.status); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		refresh(t, env, category)
	}
	got := category.Status
	if got.ItemCount == nil || *got.ItemCount != 5 || got.SubcategoryCount != nil || meta.FindStatusCondition(got.Conditions, "Ours") != nil {
		t.Errorf("what a manager leaves out goes away: got %+v", got)
	}
	if got.Path != "tools" || !meta.IsStatusConditionTrue(got.Conditions, "Theirs") {
		t.Errorf("what another one owns stays: got %+v", got)
	}
	if category.Spec.Name != "Tools" {
		t.Errorf("the spec changed: %+v", category.Spec)
	}
}

func TestWriter_apply_stale(t *testing.T) {
	env := testenv.Shared(t)
	category := newCategory(t, env)
	stale := category.DeepCopy()
	writer := newWriter(env, "ours")
	if err := writer.Apply(t.Context(), category, &inventoryv1alpha1.CategoryStatus{Path: "new"}); err != nil {
		t.Fatalf("apply: %v", err)
	}
	err := writer.Apply(t.Context(), stale, &inventoryv1alpha1.CategoryStatus{Path: "old"})
	if !apierrors.IsConflict(err) {
		t.Errorf("apply to an old version: got %v, want a conflict", err)
	}
	if refresh(t, env, category); category.Status.Path != "new" {
		t.Errorf("path: got %q, want what was written first", category.Status.Path)
	}
}

func TestWriter_apply_deleted(t *testing.T) {
	env := testenv.Shared(t)
	category := newCategory(t, env)
	env.Delete(t, category)
	err := newWriter(env, "ours").Apply(t.Context(), category, &inventoryv1alpha1.CategoryStatus{Path: "x"})
	if result, failed := status.Failed(err); failed != nil {
		t.Errorf("an object that is gone: got %v, %v", result, failed)
	}
	if err := env.Client.Get(t.Context(), client.ObjectKeyFromObject(category), category); !apierrors.IsNotFound(err) {
		t.Errorf("it is not to come back: got %v", err)
	}
}

func TestFailed(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "categories"}, "tools", nil)
	other := errors.New("other")
	cases := []struct {
		name, why string
		err       error
		wantRetry bool
		wantError error
	}{
		{"conflict", "the cache catches up by itself", fmt.Errorf("apply: %w", conflict), true, nil},
		{"other", "the queue backs off", other, false, other},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			result, err := status.Failed(c.err)
			if (result.RequeueAfter > 0) != c.wantRetry || !errors.Is(err, c.wantError) {
				t.Errorf("%s: got %v, %v", c.why, result, err)
			}
		})
	}
}
