// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"testing"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestRevocation deletes a RoleBinding, again and again. The plugin's reads, which the cache answers, are denied then.
// The clock stands still, so that no decision expires by its age, until the change has caused a review. The API
// server's answer to that review may still be outdated, and is cached for a moment only.
func TestRevocation(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	httpClient, err := rest.HTTPClientFor(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	watch, err := rbac.NewWatch(w.Config, httpClient, w.factory.authorizer, logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	testenv.Background(t, watch.Start)
	w.eventually(t, "permissions are watched", func() error {
		if !w.factory.authorizer.Watched() {
			return errors.New("they are not")
		}
		return nil
	})
	w.thing(t, w.namespace)
	w.cache(t, items)
	c := w.client(t, watching(items))
	read := func() error {
		_, err := c.Get(t.Context(), itemKey(w.namespace, "thing"))
		return err
	}
	for range 9 {
		w.Grant(t, w.namespace, "get", items.Group, "items")
		w.eventually(t, "a read is answered", read)
		reviews := w.requests.Count("subjectaccessreviews")
		w.Unbind(t)
		start, seen, step := time.Now(), reviews, 200*time.Millisecond
		w.eventually(t, "a read is denied", func() error {
			switch err := read(); {
			case apierrors.IsForbidden(err):
				return nil
			case err != nil:
				t.Fatal(err)
			}
			if made := w.requests.Count("subjectaccessreviews"); made > seen {
				w.clock.Step(step)
				seen, step = made, min(2*step, 2*time.Minute)
			}
			return errors.New("it is answered")
		})
		t.Logf("denied after %s and %d reviews", time.Since(start), w.requests.Count("subjectaccessreviews")-reviews)
	}
}
