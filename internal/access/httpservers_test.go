// SPDX-License-Identifier: Apache-2.0

package access

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/audit"
)

// secure starts a server with TLS.
func secure(t *testing.T, config *tls.Config, handler http.HandlerFunc) (string, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.TLS = config
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // otherwise, it logs each handshake that fails
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return portOf(s.Listener), roots
}

// TestHTTP_tls trusts only the given CAs, and does not fall back to plain text.
func TestHTTP_tls(t *testing.T) {
	t.Parallel()
	plain := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it came back in plain text") })
	port, roots := secure(t, nil, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/down" {
			http.Redirect(w, r, "http://example.com"+plain, http.StatusFound)
		}
	})
	old, oldRoots := secure(t, &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, func(http.ResponseWriter, *http.Request) { t.Error("it was reached") })
	for name, tc := range map[string]struct {
		url   string
		roots *x509.CertPool
		part  string
	}{
		"known":                  {"https://example.com" + port, roots, ""},
		"unknown":                {"https://example.com" + port, nil, "its certificate is not trusted: x509: "},
		"another name":           {"https://example.org" + port, roots, "its certificate is not trusted: x509: "},
		"an old version":         {"https://example.com" + old, oldRoots, `GET "example.com` + old + `": `},
		"no TLS":                 {"https://example.com" + plain, roots, "TLS 1.2"},
		"down to plain text":     {"https://example.com" + port + "/down", roots, "redirects to it, from https to http"},
		"plain text to a server": {"http://example.com" + port, roots, ""}, // which answers 400
	} {
		t.Run(name, func(t *testing.T) {
			e := open()
			e.RootCAs = tc.roots
			c, _ := outside(t, e, []string{"example.com" + port, "example.org" + port, "example.com" + plain, "example.com" + old})
			_, err := get(t, c, tc.url)
			switch _, message := statusOf(err); {
			case tc.part == "" && err != nil:
				t.Error(err)
			case tc.part != "" && (err == nil || !strings.Contains(message, tc.part)):
				t.Errorf("got %v, want %q", err, tc.part)
			}
		})
	}
}

// TestHTTP_badServers has servers that attack the client, or do not respond.
func TestHTTP_badServers(t *testing.T) {
	t.Parallel()
	ok := "HTTP/1.1 200 OK\r\n"
	write := func(text string) func(net.Conn) {
		return func(conn net.Conn) { _, _ = io.WriteString(conn, text) }
	}
	endless := func(text, more string) func(net.Conn) {
		return func(conn net.Conn) {
			_, err := io.WriteString(conn, text)
			for err == nil {
				_, err = io.WriteString(conn, more)
			}
		}
	}
	// stall waits until the client has disconnected.
	stall := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			_, _ = io.WriteString(conn, text)
			_, _ = io.Copy(io.Discard, conn)
		}
	}
	for name, tc := range map[string]struct {
		answer func(net.Conn)
		reason metav1.StatusReason
		part   string
	}{
		"no answer":            {stall(""), metav1.StatusReasonTimeout, "no whole answer in time"},
		"half a head":          {stall(ok + "X-A: "), metav1.StatusReasonTimeout, "no whole answer in time"},
		"half a body":          {stall(ok + "Content-Length: 10\r\n\r\nhalf"), metav1.StatusReasonTimeout, "no whole answer in time"},
		"an upgrade":           {stall("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"), metav1.StatusReasonServiceUnavailable, ""},
		"cut at once":          {write(""), metav1.StatusReasonServiceUnavailable, "the connection was cut"},
		"cut in a head":        {write(ok + "X-A: "), metav1.StatusReasonServiceUnavailable, "the connection was cut"},
		"cut in a body":        {write(ok + "Content-Length: 10\r\n\r\nhalf"), metav1.StatusReasonServiceUnavailable, "the connection was cut"},
		"cut in a chunk":       {write(ok + "Transfer-Encoding: chunked\r\n\r\nff\r\nhalf"), metav1.StatusReasonServiceUnavailable, "the connection was cut"},
		"an endless body":      {endless(ok+"\r\n", repeat("x", 1<<16)), metav1.StatusReasonRequestEntityTooLarge, "a body of more than 4194304 bytes"},
		"endless chunks":       {endless(ok+"Transfer-Encoding: chunked\r\n\r\n", "8\r\n12345678\r\n"+"10000\r\n"+repeat("x", 1<<16)+"\r\n"), metav1.StatusReasonRequestEntityTooLarge, "a body of more than"},
		"an announced body":    {stall(ok + "Content-Length: 99999999999\r\n\r\n"), metav1.StatusReasonTimeout, ""},
		"an endless head":      {endless(ok, "X-A: "+repeat("x", 1000)+"\r\n"), metav1.StatusReasonServiceUnavailable, "headers"},
		"an endless header":    {endless(ok+"X-A: ", repeat("x", 1000)), metav1.StatusReasonServiceUnavailable, "headers"},
		"endless beginnings":   {endless("", "HTTP/1.1 103 Early Hints\r\nX-A: "+repeat("x", 1000)+"\r\n\r\n"), metav1.StatusReasonServiceUnavailable, ""},
		"no HTTP":              {write("SSH-2.0-secret\r\n"), metav1.StatusReasonServiceUnavailable, "not HTTP/1.1"},
		"two lengths":          {write(ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), metav1.StatusReasonServiceUnavailable, ""},
		"a redirect to itself": {write("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), metav1.StatusReasonServiceUnavailable, "redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := serveBytes(t, tc.answer)
			c, records := outside(t, open(), []string{"a.example" + port})
			req := abi.HTTPRequest{URL: "http://a.example" + port + "/"}
			if tc.reason == metav1.StatusReasonTimeout {
				req.TimeoutMillis = 200
			}
			_, err := request(t, c, req)
			wantDenial(t, err, tc.reason, tc.part)
			if got := records.take(); len(got) != 1 || got[0].Decision != audit.DecisionError || got[0].Reason != string(tc.reason) {
				t.Errorf("recorded %+v", got)
			}
			if _, message := statusOf(err); strings.Contains(message, "secret") {
				t.Errorf("it passes on what the server says: %s", message)
			}
		})
	}
}

// TestTimeLimit checks that a request with no timeout, or one that is too long, has the maximum timeout.
func TestTimeLimit(t *testing.T) {
	t.Parallel()
	for millis, want := range map[int64]time.Duration{
		0: 30 * time.Second, 1: time.Millisecond, 200: 200 * time.Millisecond, 30_000: 30 * time.Second, 30_001: 30 * time.Second,
	} {
		if got := timeLimit(abi.HTTPRequest{TimeoutMillis: millis}); got != want {
			t.Errorf("%d ms: the limit is %s, want %s", millis, got, want)
		}
	}
}

// TestHTTP_compressed returns a body that is large when it is decompressed, which is left to the guest.
func TestHTTP_compressed(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 100<<20))
	_ = z.Close()
	port := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "" {
			t.Errorf("it asked for %q", got)
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	c, _ := outside(t, open(), []string{"a.example" + port})
	got, err := get(t, c, "http://a.example"+port)
	if err != nil || !bytes.Equal(got.BodyBase64, bomb.Bytes()) || got.Headers["content-encoding"] != "gzip" {
		t.Errorf("got %d bytes, %v, %v; want the %d that were sent", len(got.BodyBase64), got.Headers, err, bomb.Len())
	}
}

// TestHTTP_largest sends and receives as much as is allowed.
func TestHTTP_largest(t *testing.T) {
	t.Parallel()
	port := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for range abi.MaxHTTPResponseBody / abi.MaxHTTPRequestBody {
			_, _ = w.Write(body)
		}
	})
	c, _ := outside(t, open(), []string{"a.example" + port})
	for name, body := range map[string]string{"text": repeat("\"", abi.MaxHTTPRequestBody), "bytes": repeat("\x01", abi.MaxHTTPRequestBody)} {
		out, err := c.HTTP(t.Context(), abi.HTTPRequest{Method: "POST", URL: "http://a.example" + port, Body: quoted(body)})
		if err != nil || len(out) < abi.MaxHTTPResponseBody || len(out) > abi.MaxPayload {
			t.Errorf("%s: got %d bytes, %v", name, len(out), err)
		}
	}
}

// TestHTTP_callEnds ends the call of the guest while a server delays its response.
func TestHTTP_callEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan struct{})
	port := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
		close(closed)
	})
	c, records := outside(t, open(), []string{"a.example" + port})
	if _, err := c.HTTP(ctx, abi.HTTPRequest{URL: "http://a.example" + port}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-closed
	if got := records.take(); len(got) != 1 || got[0].Reason != "Timeout" {
		t.Errorf("recorded %+v", got)
	}
}

// TestHTTP_close keeps idle connections only while the plugin serves.
func TestHTTP_close(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	closed := make(chan struct{}, 100)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			opened.Add(1)
		case http.StateClosed:
			closed <- struct{}{}
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	port := portOf(s.Listener)
	c, _ := outside(t, open(), []string{"a.example" + port})
	for range 10 {
		if _, err := get(t, c, "http://a.example"+port); err != nil {
			t.Fatal(err)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for requests one after another", n)
	}
	c.Close()
	<-closed
	var none *RestrictedClient
	none.Close()
}
