// SPDX-License-Identifier: Apache-2.0

package kinds

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k1s-io/k1s/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// testCluster is a Resolver for an API server, whose requests are counted and can be made to fail.
type testCluster struct {
	*testenv.Env
	*Resolver

	time *clocktesting.FakeClock

	mu    sync.Mutex
	paths []string
	// before is called before each request, and can make it fail; it may be nil.
	before func(path string) error
}

func newTestCluster(t *testing.T) *testCluster {
	t.Helper()
	env := testenv.Shared(t)
	w := &testCluster{Env: env, time: clocktesting.NewFakeClock(time.Now())}
	config := rest.CopyConfig(env.Config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &counted{RoundTripper: next, w: w} })
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	if w.Resolver, err = NewResolver(config, httpClient, w.time); err != nil {
		t.Fatal(err)
	}
	return w
}

type counted struct {
	http.RoundTripper

	w *testCluster
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.w.mu.Lock()
	c.w.paths = append(c.w.paths, r.URL.Path)
	before := c.w.before
	c.w.mu.Unlock()
	if before != nil {
		if err := before(r.URL.Path); err != nil {
			return nil, err
		}
	}
	return c.RoundTripper.RoundTrip(r)
}

// asked returns the paths that were requested since it was last called.
func (w *testCluster) asked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	paths := w.paths
	w.paths = nil
	return paths
}

func (w *testCluster) fail(before func(path string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before = before
}

var errBroken = errors.New("the connection is broken")

// install creates a CustomResourceDefinition, which is deleted when the test ends.
func (w *testCluster) install(t *testing.T, crd *apiextensionsv1.CustomResourceDefinition) {
	t.Helper()
	w.Create(t, crd)
	t.Cleanup(func() { w.uninstall(t, crd) })
}

func (w *testCluster) uninstall(t *testing.T, crd *apiextensionsv1.CustomResourceDefinition) {
	t.Helper()
	err := testenv.Poll(context.Background(), testenv.Timeout, func(ctx context.Context) error {
		if err := w.Client.Delete(ctx, crd); !apierrors.IsNotFound(err) {
			return errors.Join(errors.New("it is still there"), err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// serve makes the API server serve only some of the versions.
func (w *testCluster) serve(t *testing.T, crd *apiextensionsv1.CustomResourceDefinition, served func(version string) bool) {
	t.Helper()
	testenv.Eventually(t, "change "+crd.Name, func(ctx context.Context) error {
		if err := w.Client.Get(ctx, client.ObjectKeyFromObject(crd), crd); err != nil {
			return err
		}
		for i := range crd.Spec.Versions {
			crd.Spec.Versions[i].Served = served(crd.Spec.Versions[i].Name)
		}
		return w.Client.Update(ctx, crd)
	})
}

func contains(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
