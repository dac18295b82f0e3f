// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/testenv"
)

// things installs a kind in two versions, which is removed after the test. It returns the function that stops serving
// v1.
func (w *testCluster) things(t *testing.T, group string) (unserve func()) {
	t.Helper()
	crd := testenv.Definition(group, "things", "Thing", "v2", "v1")
	w.Create(t, crd)
	t.Cleanup(func() {
		if err := w.Client.Delete(context.Background(), crd); err != nil {
			t.Error(err)
		}
	})
	return func() {
		t.Helper()
		testenv.Eventually(t, "v1 is not served", func(ctx context.Context) error {
			if err := w.Client.Get(ctx, client.ObjectKeyFromObject(crd), crd); err != nil {
				return err
			}
			crd.Spec.Versions[1].Served = false
			return w.Client.Update(ctx, crd)
		})
	}
}

// If the API server serves nothing at a path that was resolved before, that is not a response about an object, for any
// type of request. Here, the resolver is not notified of the change, as right after a change.
func TestRestrictedClient_pathNotFound(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	const group = "paths.example.com"
	unserve := w.things(t, group)
	w.Grant(t, w.namespace, "get,list,create,update,patch,delete", group, "things", "things/status")
	c := w.client(t)
	key := abi.ObjectKey{APIVersion: group + "/v1", Kind: "Thing", Namespace: w.namespace, Name: "thing"}
	object := fmt.Appendf(nil, `{"apiVersion":"%s/v1","kind":"Thing","metadata":{"namespace":%q,"name":"thing"}}`, group, w.namespace)
	testenv.Eventually(t, "Things are served", func(ctx context.Context) error {
		_, err := c.Create(ctx, abi.WriteRequest{Object: object})
		if reason, _ := statusOf(err); reason == metav1.StatusReasonBadRequest {
			w.factory.kinds.Invalidate(group)
			w.clock.Step(unknownFor + 1)
		}
		return err
	})
	if _, err := c.Get(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	missing := key
	missing.Name = "missing"
	if _, err := c.Get(t.Context(), missing); !apierrors.IsNotFound(err) {
		t.Errorf("an object that does not exist: got %v, want NotFound", err)
	}

	unserve()
	for _, request := range []struct {
		name string
		do   func(ctx context.Context) error
	}{ // the first one waits until the API server has observed the change
		{"get", func(ctx context.Context) error { _, err := c.Get(ctx, key); return err }},
		{"list", func(ctx context.Context) error {
			_, err := c.List(ctx, abi.ListRequest{APIVersion: key.APIVersion, Kind: key.Kind, Namespace: key.Namespace})
			return err
		}},
		{"create", func(ctx context.Context) error { _, err := c.Create(ctx, abi.WriteRequest{Object: object}); return err }},
		{"update", func(ctx context.Context) error { _, err := c.Update(ctx, abi.WriteRequest{Object: object}); return err }},
		{"patch", func(ctx context.Context) error {
			_, err := c.Patch(ctx, abi.PatchRequest{ObjectKey: key, PatchType: abi.PatchMerge, Patch: []byte(`{}`)})
			return err
		}},
		{"delete", func(ctx context.Context) error { return c.Delete(ctx, abi.DeleteRequest{ObjectKey: key}) }},
	} {
		testenv.Eventually(t, request.name+" of a version that is not served", func(ctx context.Context) error {
			err := request.do(ctx)
			reason, message := statusOf(err)
			if reason == metav1.StatusReasonNotFound {
				t.Errorf("%s: got NotFound: %v", request.name, err)
			}
			if reason != metav1.StatusReasonBadRequest || !strings.Contains(message, "is not installed") {
				w.clock.Step(unknownFor + 1) // the limits of lookups use this clock
				return fmt.Errorf("got %w", err)
			}
			return nil
		})
	}
}
