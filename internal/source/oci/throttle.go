// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"oras.land/oras-go/v2/registry/remote/retry"
)

// maxRetryAfter limits how long a registry can make a plugin wait.
const maxRetryAfter = time.Hour

// throttle notes the header Retry-After of responses that ask for a pause.
type throttle struct {
	base   http.RoundTripper
	notify func(time.Duration)
	now    func() time.Time
}

// RoundTrip implements http.RoundTripper.
func (t throttle) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err == nil && t.notify != nil && (resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable) {
		if wait := retryAfter(resp.Header.Get("Retry-After"), t.now()); wait > 0 {
			t.notify(wait)
		}
	}
	return resp, err
}

// isRepeated is a retry.Predicate: it reports whether a request is repeated within a pull. If the registry asks for a
// pause, the next request is that of the next pull.
func (t throttle) isRepeated(resp *http.Response, err error) (bool, error) {
	if err == nil && retryAfter(resp.Header.Get("Retry-After"), t.now()) > 0 {
		return false, nil
	}
	return retry.DefaultPredicate(resp, err)
}

// retryAfter parses a Retry-After header: seconds, or a date (RFC 9110, section 10.2.3).
func retryAfter(header string, now time.Time) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 64) // of a number out of range, it returns the maximum
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
