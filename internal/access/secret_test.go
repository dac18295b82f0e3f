// SPDX-License-Identifier: Apache-2.0

package access

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin"
)

func (w *testCluster) secret(t *testing.T, name string) {
	t.Helper()
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, Data: map[string][]byte{"password": []byte("hunter2")}}
	w.Create(t, s)
}

// TestFactory_Secret reads as the plugin's ServiceAccount: with its permissions, and with no others.
func TestFactory_Secret(t *testing.T) {
	t.Parallel()
	w := newTestCluster(t)
	w.secret(t, "mail")
	w.secret(t, "other")
	id := rbac.Identity{Namespace: w.namespace, Plugin: "tester", ServiceAccount: account}

	_, err := w.factory.Secret(t.Context(), id, "mail")
	if !apierrors.IsForbidden(err) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("without a right: got %v", err)
	}
	w.GrantName(t, w.namespace, "get", "", "secrets", "mail")
	w.GrantName(t, w.namespace, "get", "", "secrets", "missing")
	data, err := w.factory.Secret(t.Context(), id, "mail")
	if err != nil || string(data["password"]) != "hunter2" {
		t.Errorf("got %v, %v", data, err)
	}
	if _, err := w.factory.Secret(t.Context(), id, "other"); !apierrors.IsForbidden(err) {
		t.Errorf("another Secret: got %v", err)
	}
	if _, err := w.factory.Secret(t.Context(), id, "missing"); !apierrors.IsNotFound(err) {
		t.Errorf("a Secret that is not there: got %v", err)
	}
	if _, err := w.factory.Secret(t.Context(), id, "../configmaps"); !apierrors.IsBadRequest(err) {
		t.Errorf("a path: got %v", err)
	}
}

// TestRestrictedClient_secretsAreNotShown has a guest put its secret into all fields that it can set in Events,
// requests and objects.
func TestRestrictedClient_secretsAreNotShown(t *testing.T) {
	t.Parallel()
	const secret = "Hunter2-Correct"
	w, all, denied := audited(t)
	w.Grant(t, w.namespace, "create", "events.k8s.io", "events")
	c := w.client(t, denied.of, func(o *Options) { o.Redact = plugin.NewRedactor(secret, "HunterTwo", "hunter2-lower") })

	events := []abi.EventRequest{
		w.tested(func(r *abi.EventRequest) { r.Message = "it is " + secret }),
		w.tested(func(r *abi.EventRequest) { r.Message = strings.Repeat("x", maxNote-5) + secret }),
		w.tested(func(r *abi.EventRequest) { r.Reason, r.Action = "HunterTwo", "DoHunterTwo" }),
		w.tested(func(r *abi.EventRequest) { r.Name, r.UID = secret, secret }),
	}
	for _, e := range events {
		if err := c.Event(t.Context(), e); err != nil {
			t.Error(err)
		}
	}
	sent := w.eventsIn(t, w.namespace)
	if len(sent) != len(events) {
		t.Errorf("%d events, want %d", len(sent), len(events))
	}
	for _, e := range sent {
		e.ManagedFields = nil
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{secret, "xHun", "HunterTwo", "hunter2-correct"} {
			if strings.Contains(string(text), form) {
				t.Errorf("an event has %q: %s", form, text)
			}
		}
	}

	// All of these are denied or rejected, and recorded.
	_, _ = c.HTTP(t.Context(), abi.HTTPRequest{Method: "GET", URL: "https://hunter2-lower.example.com/?t=" + secret})
	_, _ = c.Get(t.Context(), abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Namespace: w.namespace, Name: secret})
	_, _ = c.Get(t.Context(), abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Namespace: secret, Name: "x"})
	_, _ = c.Get(t.Context(), abi.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Namespace: w.namespace, Name: strings.Repeat("n", maxField-6) + secret})
	_ = c.Delete(t.Context(), abi.DeleteRequest{ObjectKey: abi.ObjectKey{APIVersion: "v1", Kind: "HunterTwo", Namespace: w.namespace, Name: "x"}})
	records := append(all.take(), denied.take()...)
	if len(records) < 4+2*4 {
		t.Errorf("%d records", len(records))
	}
	for _, r := range records {
		for _, form := range []string{secret, "hunter2-lower", "HunterTwo", "hunter2-correct", "nHunt"} {
			if strings.Contains(fmt.Sprintf("%+v", r), form) {
				t.Errorf("a record has %q: %+v", form, r)
			}
		}
	}
}
