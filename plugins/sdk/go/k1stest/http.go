// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	"time"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

type httpRequest struct {
	Method        string            `json:"method"`
	URL           string            `json:"url"`
	Headers       map[string]string `json:"headers"`
	Body          string            `json:"body"`
	BodyBase64    []byte            `json:"bodyBase64"`
	TimeoutMillis int64             `json:"timeoutMillis"`
}

type httpResponse struct {
	Status     int               `json:"status"`
	Headers    map[string]string `json:"headers,omitempty"`
	BodyBase64 []byte            `json:"bodyBase64,omitempty"`
}

// HandleHTTP makes handler serve all HTTP requests of the plugin. If handler returns an error, the request fails with
// it. Without a handler, every host is Forbidden, as for a plugin without allowedHosts. The handler must not use the
// Host.
func (h *Host) HandleHTTP(handler func(k1s.HTTPRequest) (k1s.HTTPResponse, error)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.server = handler
}

func (h *Host) http(request []byte) (any, *k1s.Error) {
	var r httpRequest
	if err := decode(request, &r); err != nil {
		return nil, err
	}
	if r.URL == "" {
		return nil, k1s.NewError(k1s.ReasonBadRequest, "url is empty")
	}
	if h.server == nil {
		return nil, k1s.NewError(k1s.ReasonForbidden, "allowlist: no host is allowed; a test makes a server with HandleHTTP")
	}
	if r.Method == "" {
		r.Method = "GET"
	}
	response, err := h.server(k1s.HTTPRequest{
		Method: r.Method, URL: r.URL, Headers: r.Headers, Body: r.Body + string(r.BodyBase64),
		Timeout: time.Duration(r.TimeoutMillis) * time.Millisecond,
	})
	if err != nil {
		return nil, asError(err)
	}
	return httpResponse{Status: response.Status, Headers: response.Headers, BodyBase64: []byte(response.Body)}, nil
}
