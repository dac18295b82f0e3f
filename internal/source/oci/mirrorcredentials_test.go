// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/errcode"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/testenv/registry/faults"
)

// airGapped is a rig whose registry cannot be reached. Its mirror is a proxy to the same content.
func airGapped(t *testing.T) (r *rig, mirror *faults.Proxy) {
	t.Helper()
	mirror = faults.New(t, "")
	r = newRig(t, rigOptions{})
	mirror.Next = r.proxy.Next
	r.end()
	r.proxy.Close()
	restart(t, r, mirror, t.TempDir())
	return r, mirror
}

// restart starts the operator with a mirror and a cache directory.
func restart(t *testing.T, r *rig, mirror *faults.Proxy, dir string) {
	t.Helper()
	r.start(t, rigOptions{options: func(o *Options) { o.Registries.Mirrors = []Mirror{{Prefix: r.proxy.Address(), Target: mirror.URL}} }}, dir)
}

// TestSource_mirrorRevokes shows that a mirror revokes a permission while nobody reaches the registry, also for the time
// after a restart.
func TestSource_mirrorRevokes(t *testing.T) {
	t.Parallel()
	r, mirror := airGapped(t)
	mirror.Set(basic("ada:secret"))
	as(mirror.Address(), "ada:secret")(&r.request)
	r.expect(t, r.request, r.module)

	mirror.Set(basic("ada:changed"))
	r.clock.SetTime(r.clock.Now().Add(2 * provenFor))
	r.reject(t, r.request, pluginsv1alpha1.ReasonUnauthorized, "check their user", "mirror "+mirror.Address())
	r.end()
	restart(t, r, mirror, r.dir)
	r.reject(t, r.request, pluginsv1alpha1.ReasonUnauthorized)

	mirror.Set(basic("ada:secret"))
	r.recovers(t, r.request)
	mirror.Set(faults.Status(http.StatusInternalServerError))
	r.clock.SetTime(r.clock.Now().Add(2 * provenFor))
	testenv.Eventually(t, "the copy is used while nobody answers", func(ctx context.Context) error {
		got, err := r.Fetch(ctx, r.request)
		if err != nil {
			t.Fatal(err)
		}
		if got.Failure == nil {
			return context.DeadlineExceeded
		}
		return nil
	})
}

// TestSource_mirrorPermission shows that the permission of one plugin at a mirror is not that of another one in the same
// namespace.
func TestSource_mirrorPermission(t *testing.T) {
	t.Parallel()
	r, mirror := airGapped(t)
	mirror.Set(basic("ada:secret"))
	second := r.request
	second.Plugin.Name = "second"
	as(mirror.Address(), "ada:secret")(&r.request)
	r.expect(t, r.request, r.module)
	r.reject(t, second, pluginsv1alpha1.ReasonRegistryUnavailable, "has no copy", "mirror "+mirror.Address())
	as(mirror.Address(), "eve:secret")(&second)
	r.reject(t, second, pluginsv1alpha1.ReasonUnauthorized)
	as(mirror.Address(), "ada:secret")(&second)
	r.expect(t, second, r.module)
}

// TestSource_mirrorCredentials shows that all credentials for a mirror are tried.
func TestSource_mirrorCredentials(t *testing.T) {
	t.Parallel()
	for name, guard := range map[string]func(*testing.T, *faults.Proxy){
		"basic": func(_ *testing.T, mirror *faults.Proxy) { mirror.Set(basic("ada:secret")) },
		"tokens": func(t *testing.T, mirror *faults.Proxy) {
			s := newTokenServer(t)
			s.respond = func(w http.ResponseWriter, req *http.Request) {
				basic("ada:secret")(w, req, http.HandlerFunc(s.give))
			}
			mirror.Set(s.guard)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, mirror := airGapped(t)
			guard(t, mirror)
			as(mirror.Address()+"/one", "eve:secret")(&r.request) // the most specific one is first
			as(mirror.Address(), "ada:secret")(&r.request)
			r.expect(t, r.request, r.module)
		})
	}
}

// TestAttempts shows which error decides.
func TestAttempts(t *testing.T) {
	t.Parallel()
	answer := func(status int) error { return &errcode.ErrorResponse{Method: http.MethodGet, StatusCode: status} }
	mirror := func(credentials int, cause error) error {
		return mirrorError{host: "mirror.example", credentials: credentials, cause: cause}
	}
	down, missing, rejected := errors.New("down"), fmt.Errorf("404: %w", errdef.ErrNotFound), answer(http.StatusUnauthorized)
	invalid := plugin.Reject(pluginsv1alpha1.ReasonInvalidManifest, "invalid")
	for name, tc := range map[string]struct {
		attempts
		decides int
	}{
		"the registry alone":             {attempts{failed: []error{down}}, 0},
		"a mirror":                       {attempts{failed: []error{down, mirror(1, rejected)}}, 1},
		"a mirror with 403":              {attempts{failed: []error{down, mirror(1, answer(http.StatusForbidden))}}, 1},
		"a mirror, others do not answer": {attempts{failed: []error{down, mirror(1, answer(http.StatusBadGateway)), mirror(1, rejected)}}, 2},
		"a mirror, another lets in":      {attempts{failed: []error{down, mirror(1, rejected), mirror(1, missing)}}, 0},
		"no credentials for the mirror":  {attempts{failed: []error{down, mirror(0, rejected)}}, 0},
		"the registry does not have it":  {attempts{failed: []error{missing, mirror(1, rejected)}}, 0},
		"the registry lets nobody in":    {attempts{failed: []error{rejected, mirror(1, missing)}}, 0},
		"the registry sends something":   {attempts{failed: []error{invalid, mirror(1, rejected)}}, 0},
		"the context has ended":          {attempts{failed: []error{down, mirror(1, rejected)}, ended: true}, 0},
		"nobody answers":                 {attempts{failed: []error{down, mirror(1, down)}}, 0},
	} {
		if got := tc.Unwrap(); !errors.Is(got, tc.failed[tc.decides]) {
			t.Errorf("%s: got %v, want %v", name, got, tc.failed[tc.decides])
		}
	}
}
