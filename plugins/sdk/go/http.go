// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
	"encoding/base64"
	"time"
	"unicode/utf8"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// HTTPRequest is the request that HTTP sends.
type HTTPRequest struct {
	// Method is GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS. Empty means GET.
	Method string
	// URL is an absolute URL with the scheme http or https.
	URL     string
	Headers map[string]string
	// Body has at most 1 MiB. It can be arbitrary bytes.
	Body string
	// Timeout is the maximum duration of the request. 0 means 30 s, which is also the maximum. It is rounded up to
	// milliseconds.
	Timeout time.Duration
}

// HTTPResponse is the response of a server.
type HTTPResponse struct {
	// Status is the status code, such as 200.
	Status int
	// Headers have names in lower case. Several values of one header are joined by ", ", those of set-cookie by a
	// newline.
	Headers map[string]string
	// Body has at most 4 MiB.
	Body string
}

// HTTP sends a request to one of spec.security.allowedHosts of the WasmPlugin. A response of any status is not an
// error. Errors are Forbidden (the host is not allowed), Timeout, ServiceUnavailable (the host cannot be reached or its
// certificate cannot be trusted), RequestEntityTooLarge, TooManyRequests and BadRequest. At most five redirects are
// followed. A redirect to another host drops headers such as Authorization.
func HTTP(ctx context.Context, req HTTPRequest) (HTTPResponse, error) {
	var e json.Encoder
	e.BeginObject()
	optional(&e, "method", req.Method)
	e.Key("url").String(req.URL)
	if len(req.Headers) > 0 {
		e.Key("headers").StringMap(req.Headers)
	}
	if utf8.ValidString(req.Body) {
		optional(&e, "body", req.Body)
	} else {
		e.Key("bodyBase64").String(base64.StdEncoding.EncodeToString([]byte(req.Body)))
	}
	if req.Timeout != 0 {
		e.Key("timeoutMillis").Int(int64((req.Timeout + time.Millisecond - 1) / time.Millisecond))
	}
	e.EndObject()
	var response HTTPResponse
	err := call(ctx, host.HTTPRequest, &e, &response)
	return response, err
}

// UnmarshalK1s decodes a response of the operator.
func (r *HTTPResponse) UnmarshalK1s(d *json.Decoder) {
	*r = HTTPResponse{}
	for name := range d.Members() {
		switch name {
		case "status":
			r.Status = int(d.Int32())
		case "headers":
			r.Headers = d.StringMap()
		case "body":
			r.Body = d.String()
		case "bodyBase64":
			body, err := base64.StdEncoding.DecodeString(d.String())
			if err != nil {
				d.Fail("want base64")
			}
			r.Body = string(body)
		}
	}
}
