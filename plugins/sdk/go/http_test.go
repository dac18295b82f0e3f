// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	"context"
	"testing"
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

func TestHTTP_requests(t *testing.T) {
	for name, c := range map[string]struct {
		req  k1s.HTTPRequest
		want json.Raw
	}{
		"the least": {k1s.HTTPRequest{URL: "https://a.example/"}, `{"url":"https://a.example/"}`},
		"text": {
			k1s.HTTPRequest{
				Method: "POST", URL: "https://a.example/?b=c", Headers: map[string]string{"X-B": "2", "X-A": "1"},
				Body: "ü\n", Timeout: time.Second + 1,
			},
			`{"method":"POST","url":"https://a.example/?b=c","headers":{"X-A":"1","X-B":"2"},"body":"ü\n","timeoutMillis":1001}`,
		},
		"bytes": {k1s.HTTPRequest{URL: "https://a.example/", Body: "\xff\xfe"}, `{"url":"https://a.example/","bodyBase64":"//4="}`},
	} {
		t.Run(name, func(t *testing.T) {
			host := k1stest.New(t)
			host.HandleHTTP(func(req k1s.HTTPRequest) (k1s.HTTPResponse, error) {
				return k1s.HTTPResponse{Status: 404, Headers: map[string]string{"x-method": req.Method}, Body: req.Body + "\x00"}, nil
			})
			got, err := k1s.HTTP(context.Background(), c.req)
			method := c.req.Method
			if method == "" {
				method = "GET"
			}
			if err != nil || got.Status != 404 || got.Headers["x-method"] != method || got.Body != c.req.Body+"\x00" {
				t.Errorf("got %+v, %v", got, err)
			}
			calls := host.Calls()
			if len(calls) != 1 || calls[0].Verb != k1stest.VerbHTTP || calls[0].Request != c.want {
				t.Errorf("got  %+v\nwant %s", calls, c.want)
			}
			if len(host.Writes()) != 0 {
				t.Error("it counts as a write to the cluster")
			}
		})
	}
}

func TestHTTP_errors(t *testing.T) {
	host := k1stest.New(t)
	ctx := context.Background()
	if _, err := k1s.HTTP(ctx, k1s.HTTPRequest{URL: "https://a.example/"}); !k1s.IsForbidden(err) {
		t.Errorf("without a server: %v", err)
	}
	if _, err := k1s.HTTP(ctx, k1s.HTTPRequest{}); k1s.ReasonOf(err) != k1s.ReasonBadRequest {
		t.Errorf("without a URL: %v", err)
	}
	host.HandleHTTP(func(k1s.HTTPRequest) (k1s.HTTPResponse, error) {
		return k1s.HTTPResponse{}, k1s.NewError(k1s.ReasonServiceUnavailable, "cannot connect")
	})
	if _, err := k1s.HTTP(ctx, k1s.HTTPRequest{URL: "https://a.example/"}); k1s.ReasonOf(err) != k1s.ReasonServiceUnavailable {
		t.Errorf("with a server that is down: %v", err)
	}
}

func TestHTTPResponse_read(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"status":200,"body":"a\u0000ü","new":{"body":1}}`: "a\x00ü",
		`{"status":200,"bodyBase64":"AP/+"}`:                "\x00\xff\xfe",
		`{"status":200}`:                                    "",
	} {
		var r k1s.HTTPResponse
		if err := json.Unmarshal(text, &r); err != nil || r.Status != 200 || r.Body != want {
			t.Errorf("%s: got %+v, %v", text, r, err)
		}
	}
	var r k1s.HTTPResponse
	if err := json.Unmarshal(`{"bodyBase64":"not base64"}`, &r); err == nil {
		t.Error("what is no base64 is read")
	}
}
