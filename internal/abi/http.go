// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Limits of k1s_http_request.
const (
	// MaxHTTPRequestBody is the size in bytes of the largest body that a guest sends.
	MaxHTTPRequestBody = 1 << 20
	// MaxHTTPResponseBody is the size in bytes of the largest body that it gets.
	MaxHTTPResponseBody = 4 << 20
	// MaxHTTPRequestHeaders is how many headers a guest sends.
	MaxHTTPRequestHeaders = 64
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
	// Body is a body that is text, BodyBase64 any other; at most one of them is set. Both are JSON strings as the guest
	// wrote them: Content decodes them, after the host has allowed the request.
	Body       json.RawMessage `json:"body,omitempty"`
	BodyBase64 json.RawMessage `json:"bodyBase64,omitempty"`
	// TimeoutMillis bounds this request; 0 means MaxHTTPTimeoutMillis. The call's own deadline may be nearer.
	TimeoutMillis int64 `json:"timeoutMillis,omitempty"`
}

// decode reads a request. Its headers are counted while they are read, and its body is left for Content.
func (r *HTTPRequest) decode(payload []byte) error {
	*r = HTTPRequest{}
	if string(trimSpace(payload)) == "null" {
		return nil
	}
	return eachMember(payload, func(name, value []byte) error {
		switch string(name) {
		case `"method"`:
			return decodeStrict(value, &r.Method)
		case `"url"`:
			return decodeStrict(value, &r.URL)
		case `"headers"`:
			return r.decodeHeaders(value)
		case `"body"`:
			r.Body = value
		case `"bodyBase64"`:
			r.BodyBase64 = value
		case `"timeoutMillis"`:
			return decodeStrict(value, &r.TimeoutMillis)
		default:
			return fmt.Errorf("decode payload: unknown field %.64s", name)
		}
		return nil
	})
}

func (r *HTTPRequest) decodeHeaders(value []byte) error {
	if string(value) == "null" {
		return nil
	}
	r.Headers = map[string]string{}
	return eachMember(value, func(name, value []byte) error {
		if len(r.Headers) == MaxHTTPRequestHeaders {
			return fmt.Errorf("more than %d headers", MaxHTTPRequestHeaders)
		}
		header, err := unquote(name)
		if err != nil {
			return err
		}
		if _, given := r.Headers[header]; given {
			return fmt.Errorf("header %.64q is given twice", header)
		}
		r.Headers[header], err = unquote(value)
		return err
	})
}

// Content returns the body. The error says what is wrong with it.
func (r *HTTPRequest) Content() ([]byte, error) {
	var text string
	var bytes []byte
	if r.Body != nil {
		if err := decodeStrict(r.Body, &text); err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
	}
	if r.BodyBase64 != nil {
		if err := decodeStrict(r.BodyBase64, &bytes); err != nil {
			return nil, fmt.Errorf("bodyBase64: %w", err)
		}
	}
	if text != "" && len(bytes) > 0 {
		return nil, errors.New("body and bodyBase64 are both set")
	}
	if text != "" {
		return []byte(text), nil
	}
	return bytes, nil
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
