// SPDX-License-Identifier: Apache-2.0

package access

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/rbac"
)

// loopback is the address of test servers.
var loopback = netip.MustParseAddr("127.0.0.1")

// toLoopback resolves every name to loopback.
func toLoopback(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{loopback}, nil }

// open allows plugins to reach loopback, by any name.
func open() Egress { return Egress{Denied: []netip.Prefix{}, Lookup: toLoopback} }

// outside returns the client of a plugin that is allowed to reach hosts, without a cluster.
func outside(t *testing.T, e Egress, hosts []string, change ...func(*Options)) (*RestrictedClient, *auditRecorder) {
	t.Helper()
	records := &auditRecorder{}
	f := NewFactory(&rest.Config{}, nil, nil, nil, clock.RealClock{})
	f.Audit, f.Egress = records, e
	o := Options{
		Identity:              rbac.Identity{Namespace: "shop", Plugin: "tester", ServiceAccount: account},
		Allowlist:             Allowlist{Namespaces: []string{"shop"}, Hosts: hosts},
		MaxConcurrentRequests: 10,
		Revision:              "sha256:abc",
	}
	for _, c := range change {
		c(&o)
	}
	c, err := f.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, records
}

// serve starts a server, and returns its port as the suffix of an allowed host: ":1234".
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return portOf(s.Listener)
}

func portOf(l net.Listener) string {
	return ":" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// serveBytes answers every connection with the output of a function.
func serveBytes(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					answer(conn)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		open.Wait()
	})
	return portOf(l)
}

// get makes a plain GET request.
func get(t *testing.T, c *RestrictedClient, url string) (abi.HTTPResponse, error) {
	t.Helper()
	return request(t, c, abi.HTTPRequest{URL: url})
}

func request(t *testing.T, c *RestrictedClient, req abi.HTTPRequest) (abi.HTTPResponse, error) {
	t.Helper()
	out, err := c.HTTP(t.Context(), req)
	var response abi.HTTPResponse
	if err != nil {
		return response, err
	}
	if err := json.Unmarshal(out, &response); err != nil {
		t.Fatalf("decode %.200q: %v", out, err)
	}
	return response, nil
}

// quoted returns a JSON string of a text, or of bytes in base64.
func quoted(v any) json.RawMessage {
	text, _ := json.Marshal(v) // strings and bytes always marshal
	return text
}
