// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"net/http"
	"strconv"
	"time"
)

// maxRetryAfter limits how long a registry can make a plugin wait.
const maxRetryAfter = time.Hour

// throttle notes the header Retry-After of responses that ask for a pause.
type throttle struct {
	base   http.RoundTripper
	notify func(time.Duration)
}

// RoundTrip implements http.RoundTripper.
func (t throttle) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err == nil && (resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable) {
		if wait := retryAfter(resp.Header.Get("Retry-After"), time.Now()); wait > 0 && t.notify != nil {
			t.notify(wait)
		}
	}
	return resp, err
}

// retryAfter parses a Retry-After header: seconds, or a date (RFC 9110, section 10.2.3).
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
