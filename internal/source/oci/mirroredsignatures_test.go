// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/oci/signature"
	"github.com/k1s-io/k1s/internal/testenv/registry"
	"github.com/k1s-io/k1s/internal/testenv/registry/faults"
)

// policyOfKey returns the policy that wants signatures of a key.
func policyOfKey(t *testing.T, key registry.Key) *Signatures {
	t.Helper()
	parsed, err := signature.ParseKey("the key", []byte(key.Public(t)))
	if err != nil {
		t.Fatal(err)
	}
	return &Signatures{ID: "the key", Policy: signature.Policy{Keys: []signature.Key{parsed}}}
}

// mirrored is a rig whose registry, behind r.proxy, has a mirror with the same module.
type mirrored struct {
	*rig

	mirror *registry.Server
	key    registry.Key
}

// newMirrored starts a registry of a kind with a mirror, which has no API for referrers.
func newMirrored(t *testing.T, kind string) mirrored {
	t.Helper()
	mirror := registry.Start(t, registry.Options{})
	r := newRig(t, rigOptions{registry: registry.Options{Kind: kind}})
	r.end()
	r.start(t, rigOptions{options: func(o *Options) {
		o.Registries.Mirrors = []Mirror{{Prefix: r.proxy.Address(), Target: "http://" + mirror.Address}}
	}}, t.TempDir())
	m := mirrored{r, mirror, registry.NewKey(t)}
	if pushed := mirror.Push(t, "one", "v1", r.module); pushed != r.registry.Push(t, "one", "v1", r.module) {
		t.Fatal("the mirror has another digest")
	}
	r.request.Signatures = policyOfKey(t, m.key)
	return m
}

// TestSource_mirroredSignatures shows that the absence of signatures in a mirror says nothing about the registry.
func TestSource_mirroredSignatures(t *testing.T) {
	t.Parallel()
	for name, sign := range map[string]func(*testing.T, mirrored){
		"referrer of the registry": func(t *testing.T, m mirrored) {
			m.registry.Refer(t, "one", m.registry.Push(t, "one", "v1", m.module), m.key)
		},
		"tag of the registry": func(t *testing.T, m mirrored) {
			m.registry.Sign(t, "one", m.registry.Push(t, "one", "v1", m.module), m.key)
		},
		"an old tag in the mirror": func(t *testing.T, m mirrored) {
			pushed := m.registry.Push(t, "one", "v1", m.module)
			m.mirror.Sign(t, "one", pushed, registry.NewKey(t))
			m.registry.Sign(t, "one", pushed, m.key)
		},
		"an old referrer in the mirror": func(t *testing.T, m mirrored) {
			pushed := m.registry.Push(t, "one", "v1", m.module)
			m.mirror.Refer(t, "one", pushed, registry.NewKey(t))
			m.registry.Refer(t, "one", pushed, m.key)
		},
		"only in the mirror": func(t *testing.T, m mirrored) {
			m.mirror.Refer(t, "one", m.registry.Push(t, "one", "v1", m.module), m.key)
			m.registry.Kill()
		},
	} {
		for _, kind := range []string{"distribution", "go-containerregistry"} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				m := newMirrored(t, kind)
				sign(t, m)
				if got := m.expect(t, m.request, m.module); got.Signer != "the key" {
					t.Errorf("got the signer %q", got.Signer)
				}
			})
		}
	}
}

// TestSource_mirroredSignatures_missing shows what is reported while the registry, or only its mirror, is down.
func TestSource_mirroredSignatures_missing(t *testing.T) {
	t.Parallel()
	const unavailable = pluginsv1alpha1.ReasonRegistryUnavailable
	m := newMirrored(t, "distribution")
	pushed := m.registry.Push(t, "one", "v1", m.module)
	m.registry.Kill()
	in := func(namespace string) Request {
		r := m.request
		r.Plugin.Namespace = namespace
		return r
	}
	m.reject(t, in("a"), unavailable, "/one:v1\" has no signature in what could be read; read the signatures of")
	m.mirror.Sign(t, "one", pushed, registry.NewKey(t))
	m.reject(t, in("b"), unavailable, "does not match the key", "read the signatures of")
	m.registry.Run(t)
	m.reject(t, in("c"), pluginsv1alpha1.ReasonSignedByAnotherKey)
	m.mirror.Kill()
	m.reject(t, in("d"), pluginsv1alpha1.ReasonNotSigned)
}

// TestProblemOf_incomplete shows that what others have signed does not decide what failed.
func TestProblemOf_incomplete(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	r.request.Signatures = policyOfKey(t, registry.NewKey(t))
	r.registry.Sign(t, "one", r.registry.Push(t, "one", "v1", r.module), registry.NewKey(t))
	r.proxy.Set(faults.On(http.MethodGet, "/referrers/", faults.Status(http.StatusInternalServerError)))
	_, err := r.attempt(t, r.request)
	if err == nil || !strings.Contains(err.Error(), "does not match the key") || errors.Is(err, errUnverified) {
		t.Errorf("got %v", err)
	}
}
