// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"":                                 0,
		"0":                                0,
		"7":                                7 * time.Second,
		"3600":                             time.Hour,
		"3601":                             maxRetryAfter,
		"4294967296":                       maxRetryAfter,
		"9223372036854775807":              maxRetryAfter,
		"99999999999999999999999":          maxRetryAfter,
		"-1":                               0,
		"1.5":                              0,
		"soon":                             0,
		"Sat, 28 Nov 2026 12:00:30 GMT":    30 * time.Second,
		"Saturday, 28-Nov-26 12:00:30 GMT": 30 * time.Second,
		"Sat Nov 28 12:00:30 2026":         30 * time.Second,
		"Sat, 28 Nov 2026 11:59:30 GMT":    0,
		"Fri, 28 Nov 3026 12:00:00 GMT":    maxRetryAfter,
	} {
		if got := retryAfter(header, testingTime); got != want {
			t.Errorf("%q: got %s, want %s", header, got, want)
		}
	}
}

// response is an http.RoundTripper.
type response http.Response

func (r *response) RoundTrip(*http.Request) (*http.Response, error) {
	return (*http.Response)(r), nil
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		code   int
		header string
		want   time.Duration
		repeat bool
	}{
		"too many requests":         {http.StatusTooManyRequests, "7", 7 * time.Second, false},
		"unavailable":               {http.StatusServiceUnavailable, "7", 7 * time.Second, false},
		"unavailable for some time": {http.StatusServiceUnavailable, "", 0, true},
		"too many requests so far":  {http.StatusTooManyRequests, "", 0, true},
		"success":                   {http.StatusOK, "7", 0, false},
		"not found":                 {http.StatusNotFound, "", 0, false},
	} {
		var got time.Duration
		resp := &response{StatusCode: tc.code, Header: http.Header{"Retry-After": {tc.header}}, Body: http.NoBody}
		tr := throttle{base: resp, notify: func(d time.Duration) { got = d }, now: func() time.Time { return testingTime }}
		out, err := tr.RoundTrip(nil) //nolint:bodyclose // it has none
		if err != nil || got != tc.want {
			t.Errorf("%s: got a pause of %s, %v", name, got, err)
		}
		if repeat, err := tr.isRepeated(out, nil); err != nil || repeat != tc.repeat {
			t.Errorf("%s: repeated: %t, %v", name, repeat, err)
		}
	}
}
