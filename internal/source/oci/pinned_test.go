// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/testenv"
)

// TestSource_pinnedTag shows that a tag with a digest is that digest, whatever other plugins of the namespace have
// resolved the tag to.
func TestSource_pinnedTag(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	pinned := func(name, reference string) Request {
		req := request("n", reference)
		req.Plugin.Name = name
		return req
	}
	follower := r.request
	follower.Source.PullPolicy = pluginsv1alpha1.PullAlways
	first := r.expect(t, follower, r.module)
	tag := r.proxy.Address() + "/one:v1"
	old := pinned("old", tag+"@"+first.Digest.String())
	r.expect(t, old, r.module)

	next := wasm("next")
	second := r.registry.Push(t, "one", "v1", next)
	r.expect(t, pinned("next", tag+"@"+second.String()), next)
	r.clock.SetTime(r.clock.Now().Add(2 * defaultPoll))
	r.expect(t, follower, next)
	r.expect(t, old, r.module)
	r.reject(t, request("other", tag+"@"+first.Digest.String()), pluginsv1alpha1.ReasonDigestMismatch, second.String())
}

// TestSource_lostRecord shows that there is a pause after a pull whose result the cache does not have any more.
func TestSource_lostRecord(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{grown: func(dir string) {
		files, _ := filepath.Glob(filepath.Join(dir, "oci-records-1", "*"))
		for _, file := range files {
			_ = os.Remove(file) // another pull may have removed it
		}
	}})
	_, _ = r.Fetch(t.Context(), r.request) // it starts the pull
	select {
	case <-r.changes:
	case <-time.After(testenv.Timeout):
		t.Fatal("the pull did not end")
	}
	requests := r.proxy.Count("", "")
	got, err := r.Fetch(t.Context(), r.request)
	if got.Again < minBackoff || problemOf(err, Reference{}, 1, r.request.Keyring).Reason != pluginsv1alpha1.ReasonPulling {
		t.Errorf("the next attempt is due after %s: %v", got.Again, err)
	}
	if n := r.proxy.Count("", "") - requests; n != 0 {
		t.Errorf("there were %d requests", n)
	}
}
