// SPDX-License-Identifier: Apache-2.0

package kinds

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/k1s-io/k1s/internal/testenv"
)

var (
	configMaps = corev1.SchemeGroupVersion.WithKind("ConfigMap")
	namespaces = corev1.SchemeGroupVersion.WithKind("Namespace")
)

func TestResolver_builtIn(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	for gvk, want := range map[schema.GroupVersionKind]meta.RESTMapping{
		configMaps: {GroupVersionKind: configMaps, Resource: corev1.SchemeGroupVersion.WithResource("configmaps"), Scope: meta.RESTScopeNamespace},
		namespaces: {GroupVersionKind: namespaces, Resource: corev1.SchemeGroupVersion.WithResource("namespaces"), Scope: meta.RESTScopeRoot},
	} {
		got, err := w.Resolve(t.Context(), gvk)
		if err != nil || *got != want {
			t.Errorf("%s: got %+v, %v", gvk.Kind, got, err)
		}
	}
	if got := w.asked(); !slices.Equal(got, []string{"/api/v1"}) {
		t.Errorf("asked for %q", got)
	}
	_, err := w.Resolve(t.Context(), corev1.SchemeGroupVersion.WithKind("Nothing"))
	if !IsNotServed(err) || err.Error() != `kind "Nothing" of "v1" is not installed` {
		t.Errorf("a kind of no name: %v", err)
	}
	if _, err := w.Resolve(t.Context(), schema.GroupVersionKind{Group: "nothing.example.com", Version: "v1", Kind: "Nothing"}); !IsNotServed(err) {
		t.Errorf("a kind of no group: %v", err)
	}
}

// TestResolver_versions shows that the error for a version that is not served has the versions that are, and that no
// answer changes before a change is reported.
func TestResolver_versions(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	crd := testenv.Definition("versions.example.com", "boxes", "Box", "v1", "v2", "v3")
	w.install(t, crd)
	gvk := schema.GroupVersionKind{Group: crd.Spec.Group, Version: "v1", Kind: "Box"}
	resolved := func(what string, check func(*meta.RESTMapping, error) error) {
		t.Helper()
		testenv.Eventually(t, what, func(ctx context.Context) error {
			w.Invalidate(gvk.Group)
			return check(w.Resolve(ctx, gvk))
		})
	}
	served := func(_ *meta.RESTMapping, err error) error { return err }
	resolved("v1 is served", served)
	w.serve(t, crd, func(version string) bool { return version != "v1" })
	w.asked()
	if _, err := w.Resolve(t.Context(), gvk); err != nil || len(w.asked()) > 0 {
		t.Errorf("before anybody tells: %v, and requests", err)
	}
	resolved("v1 is not served", func(_ *meta.RESTMapping, err error) error {
		var not *NotServedError
		if !errors.As(err, &not) || len(not.Served) != 2 {
			return fmt.Errorf("got %w", err)
		}
		if want := `kind "Box" is served in v3, v2, not in v1`; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
		return nil
	})
	w.serve(t, crd, func(string) bool { return true })
	resolved("v1 is served again", served)

	w.serve(t, crd, func(string) bool { return false })
	resolved("no version is served", func(_ *meta.RESTMapping, err error) error {
		var not *NotServedError
		if !errors.As(err, &not) || len(not.Served) > 0 {
			return fmt.Errorf("got %w", err)
		}
		return nil
	})
	if name, err := w.Definition(t.Context(), gvk.GroupKind()); err != nil || name != crd.Name {
		t.Errorf("its definition is %q, %v", name, err)
	}
	for _, gk := range []schema.GroupKind{{Group: crd.Spec.Group, Kind: "Crate"}, {Group: "other.example.com", Kind: "Box"}} {
		if name, err := w.Definition(t.Context(), gk); err != nil || name != "" {
			t.Errorf("the definition of %s is %q, %v", gk, name, err)
		}
	}
}

// TestResolver_recreated shows that a kind that is created again with another resource and scope is resolved to these.
func TestResolver_recreated(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	first := testenv.Definition("recreated.example.com", "boxes", "Box", "v1")
	w.install(t, first)
	gvk := schema.GroupVersionKind{Group: first.Spec.Group, Version: "v1", Kind: "Box"}
	is := func(resource string, scope meta.RESTScope) {
		t.Helper()
		testenv.Eventually(t, gvk.Kind+" is "+resource, func(ctx context.Context) error {
			w.Invalidate(gvk.Group)
			got, err := w.Resolve(ctx, gvk)
			if err == nil && (got.Resource.Resource != resource || got.Scope != scope) {
				err = fmt.Errorf("it is %+v", got)
			}
			return err
		})
	}
	is("boxes", meta.RESTScopeNamespace)
	w.uninstall(t, first)
	second := testenv.Definition("recreated.example.com", "cartons", "Box", "v1")
	second.Spec.Scope = apiextensionsv1.ClusterScoped
	w.install(t, second)
	is("cartons", meta.RESTScopeRoot)
}

// TestResolver_believed shows how long an answer is fresh: long, unless something has changed shortly before it.
func TestResolver_believed(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	ask := func(why string, want int) {
		t.Helper()
		if _, err := w.Resolve(t.Context(), configMaps); err != nil {
			t.Fatal(err)
		}
		if got := w.asked(); len(got) != want {
			t.Errorf("%s: %d requests, want %d", why, len(got), want)
		}
	}
	ask("first", 1)
	w.time.Step(settledFor - 1)
	ask("to the end of its time", 0)
	w.time.Step(1)
	ask("after it", 1)
	w.Invalidate("other.example.com")
	ask("another group has changed", 0)
	w.Invalidate("")
	ask("its group has changed", 1)
	w.time.Step(unsettledFor - 1)
	ask("to the end of the shorter time", 0)
	w.time.Step(1)
	ask("after it, as the API server may not have followed", 1)
	w.time.Step(SettleTime)
	ask("it must have by now", 1)
	w.time.Step(settledFor - 1)
	ask("to the end of the long time", 0)
	w.Invalidate()
	ask("everything has changed", 1)
}

// TestResolver_broken shows that an API server that does not answer changes nothing about a kind.
func TestResolver_broken(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	if _, err := w.Resolve(t.Context(), configMaps); err != nil {
		t.Fatal(err)
	}
	w.fail(func(string) error { return errBroken })
	w.time.Step(settledFor)
	if _, err := w.Resolve(t.Context(), configMaps); err != nil {
		t.Errorf("an old answer is better than none: %v", err)
	}
	w.Invalidate("")
	if _, err := w.Resolve(t.Context(), configMaps); !errors.Is(err, errBroken) || IsNotServed(err) || !strings.Contains(err.Error(), `"ConfigMap"`) {
		t.Errorf("an answer of before a change is not: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Resolve(ctx, configMaps); err == nil {
		t.Error("the caller gave up, and there is no error")
	}
	w.fail(nil)
	if _, err := w.Resolve(t.Context(), configMaps); err != nil {
		t.Error(err)
	}
}

// TestResolver_concurrent shows that concurrent callers share one request, but callers after a change do not share a
// request from before it.
func TestResolver_concurrent(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	arrived, proceed := make(chan struct{}, 2), make(chan struct{})
	w.fail(func(string) error {
		arrived <- struct{}{}
		<-proceed
		return nil
	})
	var all sync.WaitGroup
	ask := func() {
		all.Go(func() {
			if _, err := w.Resolve(t.Context(), configMaps); err != nil {
				t.Error(err)
			}
		})
	}
	ask()
	<-arrived
	w.Invalidate("")
	ask()
	<-arrived // a request of its own
	close(proceed)
	all.Wait()
	w.fail(nil)
	w.asked()
	w.time.Step(unsettledFor - time.Millisecond)
	if _, err := w.Resolve(t.Context(), configMaps); err != nil || len(w.asked()) > 0 {
		t.Errorf("the answer of after the change is kept: %v", err)
	}
}
