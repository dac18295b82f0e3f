// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/source/oci/dockerconfig"
	"github.com/k1s-io/k1s/internal/testenv/registry/faults"
)

// attemptsIn returns the number of attempts of a pull that always fails, with delays longer by a factor.
func attemptsIn(period time.Duration, factor float64) int {
	n := 0
	delay := minBackoff
	for at := time.Duration(0); at < period; n++ {
		at += time.Duration(float64(delay) * factor)
		delay = min(2*delay, maxBackoff)
	}
	return n
}

// hour makes every attempt of a pull that always fails in a simulated hour, and returns their number.
func (r *rig) hour(t *testing.T, req Request, reason string, part string) int {
	t.Helper()
	n := 0
	for end := r.clock.Now().Add(time.Hour); r.clock.Now().Before(end); n++ {
		again, err := r.attempt(t, req)
		if again < minBackoff || again > maxBackoff*11/10+time.Second {
			t.Fatalf("attempt %d: the next one is due after %s: %v", n+1, again, err)
		}
		if problem := problemOf(err, Reference{}, 1, dockerconfig.Keyring{}); problem.Reason != reason || !strings.Contains(err.Error(), part) {
			t.Fatalf("attempt %d: got %s: %v, want %s with %q", n+1, problem.Reason, err, reason, part)
		}
		r.clock.SetTime(r.clock.Now().Add(again))
	}
	return n
}

// TestSource_pace counts the requests of an hour to registries that always fail.
func TestSource_pace(t *testing.T) {
	t.Parallel()
	most, least := attemptsIn(time.Hour, 1), attemptsIn(time.Hour, 1.1)
	for name, tc := range map[string]struct {
		fault           faults.Fault
		user            string
		requests        int // of an attempt
		reason, message string
	}{
		"401 without credentials": {basic("ada:secret"), "", 1, pluginsv1alpha1.ReasonUnauthorized, "add a Secret"},
		"401 with credentials":    {basic("ada:secret"), "ada:guess", 2, pluginsv1alpha1.ReasonUnauthorized, "check their user"},
		"500":                     {faults.Status(http.StatusInternalServerError), "", 1 + maxRetries, pluginsv1alpha1.ReasonRegistryUnavailable, "failed"},
		"404":                     {faults.Status(http.StatusNotFound), "", 2, pluginsv1alpha1.ReasonArtifactNotFound, "does not have it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rigOptions{})
			r.proxy.Set(tc.fault)
			if tc.user != "" {
				as(r.proxy.Address(), tc.user)(&r.request)
			}
			n := r.hour(t, r.request, tc.reason, tc.message)
			if got := r.proxy.Count("", ""); n < least || n > most || got != n*tc.requests {
				t.Errorf("got %d attempts with %d requests, want %d to %d with %d each", n, got, least, most, tc.requests)
			}
			r.proxy.Set(nil)
			r.recovers(t, r.request)
		})
	}
}

// TestSource_retriesWithinPull shows that a short failure is invisible.
func TestSource_retriesWithinPull(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	failures := map[string]int{}
	r.proxy.Set(func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		if key := req.Method + req.URL.Path; failures[key] < maxRetries { // the requests of a pull follow each other
			failures[key]++
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		next.ServeHTTP(w, req)
	})
	r.expect(t, r.request, r.module) // the clock does not move, so a second attempt is never due
}

// TestSource_retryAfter shows that a registry which asks for a pause gets it.
func TestSource_retryAfter(t *testing.T) {
	t.Parallel()
	date := func(after time.Duration) string { return testingTime.Add(after).Format(http.TimeFormat) }
	for name, tc := range map[string]struct {
		code     int
		header   string
		min, max time.Duration
		requests int
	}{
		"seconds":                  {http.StatusTooManyRequests, "120", 2 * time.Minute, 2 * time.Minute, 1},
		"date":                     {http.StatusTooManyRequests, date(90 * time.Second), 90 * time.Second, 90 * time.Second, 1},
		"unavailable":              {http.StatusServiceUnavailable, "120", 2 * time.Minute, 2 * time.Minute, 1},
		"unavailable until a date": {http.StatusServiceUnavailable, date(90 * time.Second), 90 * time.Second, 90 * time.Second, 1},
		"too long":                 {http.StatusTooManyRequests, "86400", maxRetryAfter, maxRetryAfter, 1},
		"far too long":             {http.StatusTooManyRequests, "99999999999999999999", maxRetryAfter, maxRetryAfter, 1},
		"date in a year":           {http.StatusTooManyRequests, date(365 * 24 * time.Hour), maxRetryAfter, maxRetryAfter, 1},
		"date in the past":         {http.StatusTooManyRequests, date(-time.Hour), minBackoff, minBackoff * 11 / 10, 1 + maxRetries},
		"nothing":                  {http.StatusTooManyRequests, "soon", minBackoff, minBackoff * 11 / 10, 1 + maxRetries},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rigOptions{})
			r.proxy.Set(faults.Status(tc.code, "Retry-After", tc.header))
			again, err := r.attempt(t, r.request)
			if again < tc.min || again > tc.max {
				t.Errorf("the next attempt is due after %s, want %s to %s: %v", again, tc.min, tc.max, err)
			}
			if n := r.proxy.Count("", ""); n != tc.requests {
				t.Errorf("got %d requests within the pull, want %d", n, tc.requests)
			}
			r.clock.SetTime(testingTime.Add(again - time.Second))
			if got, _ := r.Fetch(t.Context(), r.request); got.Again == 0 {
				t.Error("an attempt began before it was due")
			}
			r.proxy.Set(nil)
			r.recovers(t, r.request)
		})
	}
}

func TestTask_backoff(t *testing.T) {
	t.Parallel()
	s := newOperator(t, t.TempDir(), func(o *Options) { o.Clock = newClock() }).Source
	task := &task{job: job{reference: Reference{Registry: "registry.example", Repository: "one", Tag: "v1"}}}
	for i, want := range []time.Duration{5, 10, 20, 40, 80, 160, 300, 300, 300} {
		want *= time.Second
		task.conclude(s, &account{}, 0, fmt.Errorf("failure %d", i))
		if got := task.again(s.clock.Now()); got < want || got > want*11/10 {
			t.Errorf("after %d failures: %s, want %s with a tenth at most", i+1, got, want)
		}
	}
	task.throttle(20 * time.Minute)
	task.throttle(10 * time.Minute)
	task.conclude(s, &account{}, 0, fmt.Errorf("throttled"))
	if got := task.again(s.clock.Now()); got != 20*time.Minute {
		t.Errorf("after a pause was asked for: %s", got)
	}
	task.conclude(s, &account{}, 0, nil)
	if got := task.again(s.clock.Now()); got != 0 || task.lastFailure() != nil || !task.hasPulled() {
		t.Errorf("after a success: %s, %v", got, task.lastFailure())
	}
	task.conclude(s, &account{}, 0, fmt.Errorf("failure"))
	if got := task.again(s.clock.Now()); got > minBackoff*11/10 {
		t.Errorf("the first failure after a success: %s", got)
	}
}
