// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access"
	"github.com/k1s-io/k1s/internal/access/audit"
	"github.com/k1s-io/k1s/internal/access/rbac"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
	"github.com/k1s-io/k1s/internal/wasm"
)

// caller loads the guest with the Host that the operator would give it: it can reach hosts, and its requests are
// recorded. The returned function closes the audit log and returns its records.
func caller(t *testing.T, e access.Egress, timeout time.Duration, hosts ...string) (plugin.Runner, func() []audit.Record) {
	t.Helper()
	text := testfile.Read(t, "testdata", "caller.wasm")
	var out bytes.Buffer
	log := audit.NewLog(&out, logr.Discard(), nil)
	t.Cleanup(log.Close)
	factory := access.NewFactory(&rest.Config{}, nil, nil, nil, clock.RealClock{})
	factory.Audit, factory.Egress = log, e
	module := plugin.NewModule(text)
	client, err := factory.New(access.Options{
		Identity:  rbac.Identity{Namespace: "shop", Plugin: "caller", ServiceAccount: "tester"},
		Allowlist: access.Allowlist{Hosts: hosts}, MaxConcurrentRequests: 1, Revision: module.Digest.String(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	engine, err := wasm.New(t.Context(), wasm.Options{Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close(context.Background()) })
	runner, _, err := engine.Load(t.Context(), plugin.LoadRequest{
		Name: "shop/caller", Module: module, Settings: []byte("{}"), Host: client,
		Limits: plugin.Limits{MaxMemoryPages: 256, CallTimeout: timeout, MaxInstances: 1, IdleTimeout: time.Hour},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runner.Close(context.Background()) })
	return runner, func() (records []audit.Record) {
		log.Close()
		for line := range strings.Lines(out.String()) {
			var r audit.Record
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Errorf("decode %q: %v", line, err)
			}
			if r.Revision != module.Digest.String() {
				t.Errorf("recorded for the revision %q", r.Revision)
			}
			records = append(records, r)
		}
		return records
	}
}

// ask makes the guest send a request.
func ask(t *testing.T, runner plugin.Runner, req abi.HTTPRequest) (abi.HTTPResponse, error) {
	t.Helper()
	input, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	var response abi.HTTPResponse
	reply, err := runner.Call(t.Context(), plugin.Call{Export: abi.ExportReconcile, Input: input})
	if err != nil {
		return response, err
	}
	if err := abi.Decode(reply, &response); err != nil {
		t.Fatal(err)
	}
	return response, nil
}

// toLoopback allows a guest to reach the servers of a test under any name.
func toLoopback() access.Egress {
	return access.Egress{Denied: []netip.Prefix{}, Lookup: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}}
}

func portOf(server *httptest.Server) string {
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	return ":" + port
}

func recorded(host string, status int, decision, layer, reason string) audit.Record {
	return audit.Record{
		Plugin: "shop/caller", Account: "system:serviceaccount:shop:tester", Verb: "POST", Resource: "http",
		Host: host, Status: status, Decision: decision, Layer: layer, Reason: reason,
	}
}

// A guest reaches the hosts of its spec, and every request is recorded, without what may be secret.
func TestCaller(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header()["Date"] = nil
		w.Header().Set("Content-Type", "text/plain")
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "http://b.example/?token=secret", http.StatusTemporaryRedirect)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(append(body, " for "+r.Header.Get("Authorization")...))
	}))
	t.Cleanup(server.Close)
	host := "api.example" + portOf(server)
	runner, records := caller(t, toLoopback(), time.Minute, host)
	post := func(url string) (abi.HTTPResponse, error) {
		return ask(t, runner, abi.HTTPRequest{Method: "POST", URL: url, Body: quoted("<hello>"), Headers: map[string]string{"Authorization": "secret"}})
	}

	got, err := post("http://" + host + "/?token=secret")
	want := abi.HTTPResponse{
		Status: http.StatusAccepted, Body: "<hello> for secret",
		Headers: map[string]string{"content-type": "text/plain", "content-length": "18"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for url, part := range map[string]string{
		"http://b.example/?token=secret": `allowlist: cannot POST "b.example:80": security.allowedHosts does not have "b.example"`,
		"http://" + host + "/away":       "redirects to it",
	} {
		_, err := post(url)
		var call *plugin.CallError
		if !errors.As(err, &call) || call.Status == nil || call.Status.Reason != metav1.StatusReasonForbidden ||
			!strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want Forbidden with %q", url, err, part)
		}
	}

	denied := recorded("b.example:80", 0, audit.DecisionDenied, "allowlist", "Forbidden")
	wanted := []audit.Record{recorded(host, http.StatusAccepted, audit.DecisionAllowed, "", ""), denied, denied}
	if diff := cmp.Diff(wanted, records(), cmpopts.IgnoreFields(audit.Record{}, "Time", "LatencyMicros", "Revision")); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
}

// A module that can send requests loads even if no host is allowed. Its requests are then Forbidden.
func TestCaller_noHosts(t *testing.T) {
	t.Parallel()
	runner, records := caller(t, toLoopback(), time.Minute)
	if _, err := ask(t, runner, abi.HTTPRequest{URL: "https://api.example/"}); err == nil || !strings.Contains(err.Error(), "answered Forbidden: allowlist: cannot GET") {
		t.Errorf("got %v", err)
	}
	if got := records(); len(got) != 1 || got[0].Layer != "allowlist" {
		t.Errorf("recorded %+v", got)
	}
}

// A host that the spec allows is still denied if it resolves to the operator's own machine.
func TestCaller_loopback(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was reached") }))
	t.Cleanup(server.Close)
	runner, records := caller(t, access.Egress{}, time.Minute, "127.0.0.1"+portOf(server))
	if _, err := ask(t, runner, abi.HTTPRequest{URL: server.URL}); err == nil || !strings.Contains(err.Error(), "answered Forbidden: address: cannot GET") {
		t.Errorf("got %v", err)
	}
	if got := records(); len(got) != 1 || got[0].Layer != "address" {
		t.Errorf("recorded %+v", got)
	}
}

// If a call times out while a server delays its response, the call and the request end.
func TestCaller_timeout(t *testing.T) {
	t.Parallel()
	deleted := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		deleted <- struct{}{}
	}))
	t.Cleanup(server.Close)
	var records func() []audit.Record
	// On a busy machine, it may take longer until the request reaches the server.
	for limit, reached := 300*time.Millisecond, false; !reached; limit *= 4 {
		var runner plugin.Runner
		runner, records = caller(t, toLoopback(), limit, "api.example"+portOf(server))
		if _, err := ask(t, runner, abi.HTTPRequest{URL: "http://api.example" + portOf(server)}); plugin.KindOf(err) != plugin.KindTimeout {
			t.Errorf("got %v, want %s", err, plugin.KindTimeout)
		}
		select {
		case <-deleted:
			reached = true
		case <-time.After(limit):
		}
	}
	if got := records(); len(got) != 1 || got[0].Decision != audit.DecisionError || got[0].Reason != "Timeout" {
		t.Errorf("recorded %+v", got)
	}
}

// The largest response fits into a guest's memory twice, and into one payload.
func TestCaller_largest(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat(`"`, abi.MaxHTTPResponseBody))
	}))
	t.Cleanup(server.Close)
	runner, _ := caller(t, toLoopback(), time.Minute, "api.example"+portOf(server))
	got, err := ask(t, runner, abi.HTTPRequest{URL: "http://api.example" + portOf(server)})
	if err != nil || len(got.Body) != abi.MaxHTTPResponseBody {
		t.Errorf("got %d bytes, %v", len(got.Body), err)
	}
}

// quoted encodes a text as a JSON string, or bytes as base64.
func quoted(v any) json.RawMessage {
	text, _ := json.Marshal(v) // encoding strings and bytes never fails
	return text
}
