// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// Limits of k1s_http_request.
const (
	// MaxHTTPRequestBody is the size in bytes of the largest body that a guest sends.
	MaxHTTPRequestBody = 1 << 20
	// MaxHTTPResponseBody is the size in bytes of the largest body that it gets.
	MaxHTTPResponseBody = 4 << 20
	// MaxHTTPTimeoutMillis is the longest that one request takes, redirects and body included.
	MaxHTTPTimeoutMillis = 30_000
)

// HTTPRequest is the request of k1s_http_request.
type HTTPRequest struct {
	// Method is GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS; empty means GET.
	Method string `json:"method,omitempty"`
	// URL is absolute, with the scheme http or https.
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	// Body is a body that is text, BodyBase64 any other; at most one of them is set.
	Body       string `json:"body,omitempty"`
	BodyBase64 []byte `json:"bodyBase64,omitempty"`
	// TimeoutMillis bounds this request; 0 means MaxHTTPTimeoutMillis. The call's own deadline may be nearer.
	TimeoutMillis int64 `json:"timeoutMillis,omitempty"`
}

// HTTPResponse is the reply of k1s_http_request: whatever the server answered, also when its status is an error.
type HTTPResponse struct {
	Status int `json:"status"`
	// Headers have names in lower case. Several values of one are joined by ", ", of set-cookie by a newline.
	Headers map[string]string `json:"headers,omitempty"`
	// Body is a body that is text, BodyBase64 any other; both are absent where it is empty.
	Body       string `json:"body,omitempty"`
	BodyBase64 []byte `json:"bodyBase64,omitempty"`
}

// SetBody puts a body where it belongs: text as it is, anything else in base64. Text with control characters
// counts as anything else, as JSON makes six bytes of each: what is left at most doubles.
func (r *HTTPResponse) SetBody(body []byte) {
	if isText(body) {
		r.Body = string(body)
		return
	}
	r.BodyBase64 = body
}

// Append appends the response's JSON.
func (r *HTTPResponse) Append(dst []byte) ([]byte, error) {
	out := bytes.NewBuffer(dst)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func isText(body []byte) bool {
	for _, c := range body {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return utf8.Valid(body)
}
