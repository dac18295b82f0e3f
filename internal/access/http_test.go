// SPDX-License-Identifier: Apache-2.0

package access

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/access/audit"
)

// TestHTTP_exchange sends the kinds of requests that a guest can send, and reads the kinds of responses that a server
// can return.
func TestHTTP_exchange(t *testing.T) {
	t.Parallel()
	port := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header()["X-Several"] = []string{"a", "b"}
		w.Header()["Set-Cookie"] = []string{"a=b; Expires=Mon, 23 Nov 2026", "c=d"}
		w.Header()["Date"] = nil
		w.Header().Set("X-Saw", fmt.Sprintf("%s %s %s %s %s %q", r.Method, r.Host, r.URL.RequestURI(), r.UserAgent(), r.Header.Get("X-Token"), body))
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(body)
	})
	c, records := outside(t, open(), []string{"a.example" + port})
	headers := func(saw, kind, length string) map[string]string {
		h := map[string]string{
			"x-several": "a, b", "set-cookie": "a=b; Expires=Mon, 23 Nov 2026\nc=d", "x-saw": saw,
			"content-type": kind, "content-length": length,
		}
		if kind == "" {
			delete(h, "content-type")
		}
		if length == "" {
			delete(h, "content-length")
		}
		return h
	}
	host := "a.example" + port
	for name, tc := range map[string]struct {
		req  abi.HTTPRequest
		want abi.HTTPResponse
	}{
		"the least": {
			abi.HTTPRequest{URL: "http://" + host},
			abi.HTTPResponse{Headers: headers("GET "+host+" / k1s-plugin/shop/tester  \"\"", "", "0")},
		},
		"text": {
			abi.HTTPRequest{Method: "POST", URL: "http://A.Example" + port + "/p%20q?a=b#c", Headers: map[string]string{"x-token": "t", "User-Agent": "me"}, Body: quoted("<ü>\n\u2028")},
			abi.HTTPResponse{Headers: headers("POST "+host+" /p%20q?a=b me t \"<ü>\\n\\u2028\"", "text/plain; charset=utf-8", "8"), Body: "<ü>\n\u2028"},
		},
		"bytes": {
			abi.HTTPRequest{Method: "PUT", URL: "http://" + host + "/", BodyBase64: quoted([]byte{0xff, 0xfe})},
			abi.HTTPResponse{Headers: headers("PUT "+host+" / k1s-plugin/shop/tester  \"\\xff\\xfe\"", "text/plain; charset=utf-16be", "2"), BodyBase64: []byte{0xff, 0xfe}},
		},
		"control characters": {
			abi.HTTPRequest{Method: "PUT", URL: "http://" + host + "/", Body: quoted("a\x00")},
			abi.HTTPResponse{Headers: headers("PUT "+host+" / k1s-plugin/shop/tester  \"a\\x00\"", "application/octet-stream", "2"), BodyBase64: []byte("a\x00")},
		},
	} {
		got, err := request(t, c, tc.req)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		tc.want.Status = http.StatusTeapot
		if tc.req.BodyBase64 != nil { // the guess of net/http is not tested here
			tc.want.Headers["content-type"] = got.Headers["content-type"]
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		want := audit.Record{
			Plugin: "shop/tester", Revision: "sha256:abc", Account: "system:serviceaccount:shop:" + account, Verb: "GET", Resource: "http",
			Host: host, Status: http.StatusTeapot, Decision: audit.DecisionAllowed,
		}
		if tc.req.Method != "" {
			want.Verb = tc.req.Method
		}
		if diff := cmp.Diff([]audit.Record{want}, records.take(), cmpopts.IgnoreFields(audit.Record{}, "Time", "LatencyMicros")); diff != "" {
			t.Errorf("%s: record (-want +got):\n%s", name, diff)
		}
	}
}

// TestHTTP_denied makes requests that must not reach the server.
func TestHTTP_denied(t *testing.T) {
	t.Parallel()
	port := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("it was reached: %s", r.URL) })
	const secret = "hunter2"
	header := func(name, value string) func(*abi.HTTPRequest) {
		return func(r *abi.HTTPRequest) { r.Headers = map[string]string{name: value} }
	}
	url := func(text string) func(*abi.HTTPRequest) { return func(r *abi.HTTPRequest) { r.URL = text } }
	many := map[string]string{}
	for i := range maxRequestHeaders + 1 {
		many[fmt.Sprintf("x-%d", i)] = "y"
	}
	for name, tc := range map[string]struct {
		change func(*abi.HTTPRequest)
		reason metav1.StatusReason
		part   string
	}{
		"another host":          {url("http://b.example" + port + "/?t=" + secret), metav1.StatusReasonForbidden, `allowlist: cannot GET "b.example` + port + `": security.allowedHosts does not have "b.example` + port + `"`},
		"another port":          {url("http://a.example/"), metav1.StatusReasonForbidden, `security.allowedHosts does not have "a.example"`},
		"an address":            {url("http://127.0.0.1" + port + "/"), metav1.StatusReasonForbidden, "security.allowedHosts does not have"},
		"below the host":        {url("http://x.a.example" + port + "/"), metav1.StatusReasonForbidden, "security.allowedHosts does not have"},
		"the host as a suffix":  {url("http://xa.example" + port + "/"), metav1.StatusReasonForbidden, "security.allowedHosts does not have"},
		"a user":                {url("http://u:" + secret + "@a.example" + port + "/"), metav1.StatusReasonBadRequest, "it has a user or a password"},
		"the host as a user":    {url("http://a.example" + port + "@b.example/"), metav1.StatusReasonBadRequest, ""},
		"another scheme":        {url("file:///etc/passwd?" + secret), metav1.StatusReasonBadRequest, "neither http nor https"},
		"no scheme":             {url("a.example/" + secret), metav1.StatusReasonBadRequest, "neither http nor https"},
		"no host":               {url("http:///" + secret), metav1.StatusReasonBadRequest, "it has no host"},
		"opaque":                {url("http:a.example/" + secret), metav1.StatusReasonBadRequest, "it has no host"},
		"no URL":                {url("http://a.example/%zz" + secret), metav1.StatusReasonBadRequest, "url cannot be read"},
		"a line break":          {url("http://a.example" + port + "/\r\nX: " + secret), metav1.StatusReasonBadRequest, "url cannot be read"},
		"a long URL":            {url("http://a.example" + port + "/" + repeat("x", maxURL)), metav1.StatusReasonBadRequest, "url is longer"},
		"port 0":                {url("http://a.example:0/"), metav1.StatusReasonBadRequest, "there is no port"},
		"port 65536":            {url("http://a.example:65536/"), metav1.StatusReasonBadRequest, "there is no port"},
		"a zone":                {url("http://[fe80::1%25eth0]/"), metav1.StatusReasonBadRequest, "has a zone"},
		"an octal address":      {url("http://0177.0.0.1/"), metav1.StatusReasonBadRequest, "there is no host"},
		"a short address":       {url("http://127.1/"), metav1.StatusReasonBadRequest, "there is no host"},
		"a number":              {url("http://2130706433/"), metav1.StatusReasonBadRequest, "there is no host"},
		"a hexadecimal address": {url("http://0x7f000001/"), metav1.StatusReasonBadRequest, "there is no host"},
		"an address in wide":    {url("http://１２７.0.0.1/"), metav1.StatusReasonBadRequest, "there is no host"},
		"another method":        {func(r *abi.HTTPRequest) { r.Method = "CONNECT" }, metav1.StatusReasonBadRequest, `method "CONNECT": want one of GET`},
		"a method in lower":     {func(r *abi.HTTPRequest) { r.Method = "get" }, metav1.StatusReasonBadRequest, "method"},
		"two bodies":            {func(r *abi.HTTPRequest) { r.Body, r.BodyBase64 = quoted("a"), quoted([]byte("b")) }, metav1.StatusReasonBadRequest, "both set"},
		"less than no time":     {func(r *abi.HTTPRequest) { r.TimeoutMillis = -1 }, metav1.StatusReasonBadRequest, "timeoutMillis is negative"},
		"a long body":           {func(r *abi.HTTPRequest) { r.Body = quoted(repeat("x", abi.MaxHTTPRequestBody+1)) }, metav1.StatusReasonRequestEntityTooLarge, "more than the 1048576"},
		"a long body of bytes":  {func(r *abi.HTTPRequest) { r.BodyBase64 = quoted(make([]byte, abi.MaxHTTPRequestBody+1)) }, metav1.StatusReasonRequestEntityTooLarge, ""},
		"a header in a header":  {header("X-A", "a\r\nX-B: "+secret), metav1.StatusReasonBadRequest, "control character"},
		"a header in a name":    {header("X-A: a\r\nX-B", secret), metav1.StatusReasonBadRequest, "is not the name of a header"},
		"no name":               {header("", secret), metav1.StatusReasonBadRequest, "is not the name of a header"},
		"a NUL":                 {header("X-A", "\x00"), metav1.StatusReasonBadRequest, "control character"},
		"another Host":          {header("hOST", "b.example"), metav1.StatusReasonBadRequest, "is the host's to set"},
		"a framing":             {header("transfer-encoding", "chunked"), metav1.StatusReasonBadRequest, "is the host's to set"},
		"a length":              {header("Content-Length", "5"), metav1.StatusReasonBadRequest, "is the host's to set"},
		"an upgrade":            {header("Upgrade", "websocket"), metav1.StatusReasonBadRequest, "is the host's to set"},
		"a header twice":        {func(r *abi.HTTPRequest) { r.Headers = map[string]string{"x-a": "1", "X-A": "2"} }, metav1.StatusReasonBadRequest, "is given twice"},
		"many headers":          {func(r *abi.HTTPRequest) { r.Headers = many }, metav1.StatusReasonBadRequest, "more than 64 headers"},
		"a long header":         {header("X-A", repeat("x", maxRequestHeaderBytes)), metav1.StatusReasonBadRequest, "bytes of them"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, records := outside(t, open(), []string{"a.example" + port})
			req := abi.HTTPRequest{URL: "http://a.example" + port + "/"}
			tc.change(&req)
			_, err := request(t, c, req)
			wantDenial(t, err, tc.reason, tc.part)
			line, _ := json.Marshal(records.take())
			if _, message := statusOf(err); strings.Contains(message+string(line), secret) && !strings.Contains(name, "name") {
				t.Errorf("it tells a secret: %s, recorded as %s", message, line)
			}
		})
	}
}

// TestHTTP_layers makes each layer deny a request that the layers behind it would deny as well.
func TestHTTP_layers(t *testing.T) {
	t.Parallel()
	port := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was reached") })
	url := "http://a.example" + port + "/"
	deniedEgress := func(err error, records *auditRecorder, layer string, reason metav1.StatusReason, part string) {
		t.Helper()
		wantDenial(t, err, reason, layer+": ", part)
		got := records.take()
		if len(got) == 0 || got[len(got)-1].Layer != layer || got[len(got)-1].Decision != audit.DecisionDenied || got[len(got)-1].Host != "a.example"+port {
			t.Errorf("%s: recorded %+v", layer, got)
		}
	}
	slow := func(o *Options) { o.RequestsPerSecond, o.Burst = 1, 1 }
	denied := Egress{Lookup: toLoopback}

	none, records := outside(t, denied, nil, slow)
	occupy(none)
	_, err := get(t, none, url)
	deniedEgress(err, records, "allowlist", metav1.StatusReasonForbidden, "security.allowedHosts does not have")

	hosts := []string{"a.example" + port}
	c, records := outside(t, denied, hosts, slow)
	_, err = get(t, c, url)
	deniedEgress(err, records, "address", metav1.StatusReasonForbidden, "it has an address that plugins cannot reach")
	_, err = get(t, c, url)
	deniedEgress(err, records, "rate", metav1.StatusReasonTooManyRequests, "security.requestsPerSecond is 1")

	busy, records := outside(t, denied, hosts)
	occupy(busy)
	_, err = get(t, busy, url)
	deniedEgress(err, records, "limit", metav1.StatusReasonTooManyRequests, "security.maxConcurrentRequests is 10")
}

// TestHTTP_redirects follows redirects only to hosts that the plugin is allowed to reach.
func TestHTTP_redirects(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var reached []string
	var port string
	port = serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		reached = append(reached, fmt.Sprintf("%s %s%s %s|%s|%s|%s", r.Method, strings.TrimSuffix(r.Host, port), r.URL.Path,
			r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"), r.Header.Get("Referer"), r.Header.Get("Accept")))
		mu.Unlock()
		if to, ok := strings.CutPrefix(r.URL.RawQuery, "to="); ok {
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
		}
	})
	a, b := "http://a.example"+port, "http://b.example"+port
	loop := a + "/end"
	for range maxRedirects + 1 {
		loop = a + "/?to=" + loop
	}
	fine, _ := strings.CutPrefix(loop, a+"/?to=")
	const keys = "basic|key||text"
	for name, tc := range map[string]struct {
		url     string
		reached []string
		reason  metav1.StatusReason
		part    string
	}{
		"none":                    {url: a + "/", reached: []string{"GET a.example/ " + keys}},
		"on one origin":           {url: a + "/?to=/there", reached: []string{"GET a.example/ " + keys, "GET a.example/there " + keys}},
		"to another origin":       {url: a + "/?to=" + b + "/there", reached: []string{"GET a.example/ " + keys, "GET b.example/there |||text"}},
		"there and back":          {url: a + "/?to=" + b + "/?to=" + a + "/back", reached: []string{"GET a.example/ " + keys, "GET b.example/ |||text", "GET a.example/back |||text"}},
		"to a host that is not":   {url: a + "/?to=http://c.example" + port + "/?t=secret", reached: []string{"GET a.example/ " + keys}, reason: metav1.StatusReasonForbidden, part: `allowlist: cannot GET "c.example` + port + `": security.allowedHosts does not have`},
		"to an address":           {url: a + "/?to=http://127.0.0.1" + port + "/", reached: []string{"GET a.example/ " + keys}, reason: metav1.StatusReasonForbidden, part: "allowlist: "},
		"to another port":         {url: a + "/?to=http://a.example/", reached: []string{"GET a.example/ " + keys}, reason: metav1.StatusReasonForbidden, part: "allowlist: "},
		"to a denied address":     {url: a + "/?to=http://inside.example" + port + "/", reached: []string{"GET a.example/ " + keys}, reason: metav1.StatusReasonForbidden, part: `address: cannot GET "inside.example`},
		"with a user":             {url: a + "/?to=http://u:secret@b.example" + port + "/", reached: []string{"GET a.example/ " + keys}, reason: metav1.StatusReasonServiceUnavailable, part: "redirects to something that is not an http"},
		"to a file":               {url: a + "/?to=file:///etc/secret", reached: []string{"GET a.example/ " + keys}, reason: metav1.StatusReasonServiceUnavailable, part: "redirects to something that is not an http"},
		"to what cannot be read":  {url: a + "/?to=http://%zz/secret", reached: []string{"GET a.example/ " + keys}, reason: metav1.StatusReasonServiceUnavailable, part: "redirects"},
		"as many as there can be": {url: fine, reached: slices.Concat(slices.Repeat([]string{"GET a.example/ " + keys}, maxRedirects), []string{"GET a.example/end " + keys})},
		"more than that":          {url: loop, reached: slices.Repeat([]string{"GET a.example/ " + keys}, maxRedirects+1), reason: metav1.StatusReasonServiceUnavailable, part: "more than 5 redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			e := Egress{Denied: prefixes("10.0.0.0/8"), Lookup: byName(map[string]string{"inside.example": "10.0.0.1"})}
			c, records := outside(t, e, []string{"a.example" + port, "b.example" + port, "inside.example" + port})
			mu.Lock()
			reached = nil
			mu.Unlock()
			_, err := request(t, c, abi.HTTPRequest{URL: tc.url, Headers: map[string]string{"Authorization": "basic", "X-Api-Key": "key", "Accept": "text"}})
			if tc.reason != "" {
				wantDenial(t, err, tc.reason, tc.part)
			} else if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if diff := cmp.Diff(tc.reached, reached); diff != "" {
				t.Errorf("reached (-want +got):\n%s", diff)
			}
			if got := records.take(); len(got) != 1 || (got[0].Decision == audit.DecisionAllowed) != (tc.reason == "") {
				t.Errorf("recorded %+v", got)
			}
			if _, message := statusOf(err); strings.Contains(message, "secret") {
				t.Errorf("it tells a secret: %s", message)
			}
		})
	}
}
