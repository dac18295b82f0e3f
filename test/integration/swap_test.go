// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// versionOf returns the annotator with another version in its metadata, and therefore with another digest.
func versionOf(t *testing.T, version string) []byte {
	t.Helper()
	module := conformanceFixture(t, "annotator.wasm")
	was := []byte(`"1.0.0"`)
	if is := []byte(`"` + version + `"`); len(is) != len(was) || !bytes.Contains(module, was) {
		t.Fatalf("cannot write version %q into the annotator", version)
	}
	return bytes.Replace(module, was, []byte(`"`+version+`"`), 1)
}

// TestWasmPlugin_swap_losesNoEvent checks that a plugin reconciles every Category that is created while its module, its
// settings and its watched kinds change repeatedly.
func TestWasmPlugin_swap_losesNoEvent(t *testing.T) {
	const categories, swaps = 400, 12
	o := startOperator(t)
	n := newTenant(t, o.env, append(annotatorRules(), rule("items", "list", "watch"))...)
	n.Store(t, "annotator", versionOf(t, "1.0.0"))
	n.Plugin(t, "annotator")
	n.ExpectReady(t, "annotator")

	var stream sync.WaitGroup
	stream.Go(func() {
		for i := range categories {
			c := &inventoryv1alpha1.Category{ObjectMeta: n.Meta(fmt.Sprintf("c-%03d", i)), Spec: inventoryv1alpha1.CategorySpec{Name: "c"}}
			if err := n.Client.Create(t.Context(), c); err != nil {
				t.Errorf("create Category %d: %v", i, err)
				return
			}
		}
	})
	for i := range swaps {
		version := fmt.Sprintf("1.0.%d", i%10)
		n.Store(t, "annotator", versionOf(t, version))
		n.change(t, "annotator", func(s *pluginsv1alpha1.WasmPluginSpec) {
			s.Settings = &runtime.RawExtension{Raw: fmt.Appendf(nil, `{"swap":%d}`, i)}
			s.Owns = nil
			if i%3 == 1 { // every third time the watches change, too
				s.Owns = []pluginsv1alpha1.TypeReference{{APIVersion: "inventory.example.com/v1alpha1", Kind: "Item"}}
			}
		})
		n.expectVersion(t, "annotator", version)
	}
	stream.Wait()

	testenv.Eventually(t, "the plugin has been at every Category", func(ctx context.Context) error {
		var list inventoryv1alpha1.CategoryList
		if err := n.Client.List(ctx, &list, client.InNamespace(n.NS)); err != nil {
			return err
		}
		missed := slices.DeleteFunc(list.Items, func(c inventoryv1alpha1.Category) bool { return c.Annotations[seenAnnotation] == "yes" })
		if len(missed) > 0 {
			return fmt.Errorf("%d of %d are missing, the first is %s", len(missed), categories, missed[0].Name)
		}
		return nil
	})
	t.Logf("%d Categories, %d swaps, none missed", categories, swaps)
}

// expectVersion waits until the plugin serves a version and is Ready.
func (n tenant) expectVersion(t *testing.T, name, version string) {
	t.Helper()
	testenv.Eventually(t, "version "+version+" serves", func(ctx context.Context) error {
		wp, err := n.GetPlugin(ctx, name)
		if err != nil {
			return err
		}
		if wp.Status.Revision == nil || wp.Status.Revision.Version != version {
			return fmt.Errorf("revision is %+v", wp.Status.Revision)
		}
		return nil
	})
	n.ExpectReady(t, name)
}
