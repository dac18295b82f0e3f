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
	// MaxHTTPRequestBody is the maximum size in bytes of a request body.
	MaxHTTPRequestBody = 1 << 20
	// MaxHTTPResponseBody is the maximum size in bytes of a response body.
	MaxHTTPResponseBody = 4 << 20
	// MaxHTTPRequestHeaders is the maximum number of request headers.
	MaxHTTPRequestHeaders = 64
	// MaxHTTPTimeoutMillis is the maximum duration of one request, including redirects and body.
	MaxHTTPTimeoutMillis = 30_000
)

// HTTPRequest is the request of k1s_http_request.
type HTTPRequest struct {
	// Method is GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS. Empty means GET.
	Method string `json:"method,omitempty"`
	// URL is an absolute URL with the scheme http or https.
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	// Body is a text body, BodyBase64 is any other body. At most one of them can be set. Both are JSON strings as the
	// guest encoded them: Content decodes them, after the host has allowed the request.
	Body       json.RawMessage `json:"body,omitempty"`
	BodyBase64 json.RawMessage `json:"bodyBase64,omitempty"`
	// TimeoutMillis is the timeout of this request. 0 means MaxHTTPTimeoutMillis. The deadline of the call may be
	// earlier.
	TimeoutMillis int64 `json:"timeoutMillis,omitempty"`
}

// decode decodes a request. It counts the headers while it decodes them, and leaves the body to Content.
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

// Content returns the body. It returns an error if the body is invalid.
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

// HTTPResponse is the reply of k1s_http_request: the response of the server, even if its status is an error.
type HTTPResponse struct {
	Status int `json:"status"`
	// Headers have names in lower case. Multiple values of a header are joined by ", ", those of set-cookie by a
	// newline.
	Headers map[string]string `json:"headers,omitempty"`
	// Body is a text body, BodyBase64 is any other body. Both are absent if the body is empty.
	Body       string `json:"body,omitempty"`
	BodyBase64 []byte `json:"bodyBase64,omitempty"`
}

// SetBody sets the field for a body: Body for text, and BodyBase64 for everything else. Text with control characters
// counts as everything else, because JSON encodes each of them as six bytes. Other text at most doubles in size.
func (r *HTTPResponse) SetBody(body []byte) {
	if isText(body) {
		r.Body = string(body)
		return
	}
	r.BodyBase64 = body
}

// Append appends the JSON of the response.
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
