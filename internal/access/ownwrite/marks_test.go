// SPDX-License-Identifier: Apache-2.0

package ownwrite

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

const shop, stock = "shop/policy", "stock/policy"

// replicas are Marks that share a Secret, which they read at different times.
type replicas struct {
	clock *clocktesting.FakeClock
	read  []*tls.Certificate
	marks []*Marks
}

func newReplicas(t *testing.T, count int) *replicas {
	t.Helper()
	r := &replicas{clock: clocktesting.NewFakeClock(time.Now()), read: make([]*tls.Certificate, count)}
	first := newCertificate(t)
	for i := range count {
		r.read[i] = first
		r.marks = append(r.marks, New(func() (*tls.Certificate, error) { return r.read[i], nil }, r.clock))
	}
	return r
}

func newCertificate(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{PrivateKey: key}
}

// sign makes a replica sign for a plugin.
func (r *replicas) sign(t *testing.T, replica int, plugin string) []string {
	t.Helper()
	marks, err := r.marks[replica].Sign(plugin)
	if err != nil || len(marks) == 0 {
		t.Fatalf("got %q, %v", marks, err)
	}
	return marks
}

func TestMarks_Verify(t *testing.T) {
	t.Parallel()
	r := newReplicas(t, 2)
	marks := r.sign(t, 0, shop)
	mark := marks[0]
	strangers := newReplicas(t, 1)
	for name, tc := range map[string]struct {
		plugin string
		marks  []string
		want   bool
	}{
		"its own":                       {shop, marks, true},
		"its own, beside another":       {shop, []string{"v1.1.AA", mark}, true},
		"another plugin's":              {stock, marks, false},
		"none":                          {shop, nil, false},
		"empty":                         {shop, []string{""}, false},
		"made up":                       {shop, []string{"v1.99999999999.AAAA"}, false},
		"without a sum":                 {shop, []string{mark[:strings.LastIndex(mark, ".")+1]}, false},
		"of another version":            {shop, []string{"v2" + mark[2:]}, false},
		"with another time":             {shop, []string{"v1.9" + mark[3:]}, false},
		"of another operator's key":     {shop, strangers.sign(t, 0, shop), false},
		"more values than are read":     {shop, append(slices.Repeat([]string{"x"}, maxMarks), mark), false},
		"longer than any mark there is": {shop, []string{mark + strings.Repeat("A", 1<<10)}, false},
	} {
		for i, m := range r.marks {
			if got := m.Verify(tc.plugin, tc.marks); got != tc.want {
				t.Errorf("%s, replica %d: %t, want %t", name, i, got, tc.want)
			}
		}
	}
}

func TestMarks_expire(t *testing.T) {
	t.Parallel()
	r := newReplicas(t, 2)
	marks := r.sign(t, 0, shop)
	if repeated := r.sign(t, 0, shop); !slices.Equal(marks, repeated) {
		t.Errorf("signed again in the same moment: %q, want %q", repeated, marks)
	}
	r.clock.Step(lifetime)
	if !r.marks[1].Verify(shop, marks) {
		t.Error("it expired while the API server may still work on the request")
	}
	if slices.Equal(marks, r.sign(t, 0, shop)) {
		t.Error("the next request has a mark that is about to expire")
	}
	r.clock.Step(step + skew + time.Second)
	if r.marks[1].Verify(shop, marks) {
		t.Error("a mark that was captured is still valid")
	}
}

// If replicas observe a renewal one after another, each still accepts the marks of the others.
func TestMarks_rotation(t *testing.T) {
	t.Parallel()
	r := newReplicas(t, 2)
	before := r.sign(t, 0, shop)
	r.sign(t, 1, shop)
	next := newCertificate(t)
	r.read[0] = next
	if marks := r.sign(t, 0, shop); !r.marks[1].Verify(shop, marks) {
		t.Error("the replica with the previous certificate does not know the mark of the one with the new one")
	}
	if !r.marks[0].Verify(shop, r.sign(t, 1, shop)) {
		t.Error("the replica with the new certificate does not know the mark of the one with the previous one")
	}
	r.read[1] = next
	if !r.marks[1].Verify(shop, before) {
		t.Error("a request that was under way during the renewal is not known any more")
	}
	started := New(func() (*tls.Certificate, error) { return next, nil }, r.clock)
	if !started.Verify(shop, r.sign(t, 1, shop)) {
		t.Error("a replica that starts after the renewal does not know the mark")
	}
	r.clock.Step(grace + time.Second)
	for i := range r.marks {
		if marks := r.sign(t, i, shop); len(marks) != 1 {
			t.Errorf("replica %d signs with %d keys long after the renewal", i, len(marks))
		}
	}
	r.read[0] = &tls.Certificate{PrivateKey: next.PrivateKey}
	if marks := r.sign(t, 0, shop); len(marks) != 1 {
		t.Errorf("a renewal that keeps the private key: it signs with %d keys", len(marks))
	}
}

func TestMarks_noCertificate(t *testing.T) {
	t.Parallel()
	none := New(func() (*tls.Certificate, error) { return nil, errors.New("none yet") }, clocktesting.NewFakeClock(time.Now()))
	if _, err := none.Sign(shop); err == nil {
		t.Error("it signs without a key")
	}
	if none.Verify(shop, []string{"v1.99999999999.AAAA"}) {
		t.Error("it verifies without a key")
	}
}

func TestTransport(t *testing.T) {
	t.Parallel()
	r := newReplicas(t, 1)
	var seen http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { seen = req.Header }))
	t.Cleanup(server.Close)
	for _, tc := range []struct {
		marks  *Marks
		method string
		marked bool
	}{
		{r.marks[0], http.MethodPost, true},
		{r.marks[0], http.MethodPut, true},
		{r.marks[0], http.MethodPatch, true},
		{r.marks[0], http.MethodDelete, true},
		{r.marks[0], http.MethodGet, false},
		{nil, http.MethodPost, false},
		{New(func() (*tls.Certificate, error) { return nil, errors.New("none") }, r.clock), http.MethodPost, false},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tc.method, server.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tc.marks.Transport(shop)(http.DefaultTransport).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := seen[http.CanonicalHeaderKey("Impersonate-Extra-plugins.k1s.io%2fown-write")]; r.marks[0].Verify(shop, got) != tc.marked {
			t.Errorf("%s: marks %q, want some: %t", tc.method, got, tc.marked)
		}
		if len(req.Header) > 0 {
			t.Errorf("%s: the caller's own request was changed: %v", tc.method, req.Header)
		}
	}
}
