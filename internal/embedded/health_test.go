// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"errors"
	"testing"
	"time"
)

func TestHealth(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	failures := func(n int) errorStreak { return errorStreak{length: n, last: errors.New("no such thing"), at: at} }
	cases := []struct {
		name, why string
		phase     phase
		failure   error
		streak    errorStreak
		want      HealthStatus
		wantDown  bool
	}{
		{
			name: "not started", why: "a replica that does not lead is well",
			phase: notStarted,
			want:  HealthStatus{Healthy: true, Message: "not started"},
		},
		{
			name: "starting", why: "it does not serve yet",
			phase: starting, wantDown: true,
			want: HealthStatus{Running: true, Message: "waiting for the informers"},
		},
		{
			name: "running", why: "all is well",
			phase: running,
			want:  HealthStatus{Healthy: true, Running: true, Synced: true, Message: "running"},
		},
		{
			name: "some failures", why: "objects may fail without the controller being broken",
			phase: running, streak: failures(9),
			want: HealthStatus{
				Healthy: true, Running: true, Synced: true, Message: "running",
				ConsecutiveErrors: 9, LastError: "no such thing", LastErrorTime: at,
			},
		},
		{
			name: "many failures", why: "unhealthy, but not down: the process's readiness is not at stake",
			phase: running, streak: failures(10),
			want: HealthStatus{
				Running: true, Synced: true, Message: "10 reconciles failed in a row; the last: no such thing",
				ConsecutiveErrors: 10, LastError: "no such thing", LastErrorTime: at,
			},
		},
		{
			name: "stopped", why: "somebody wanted it so",
			phase: stopped,
			want:  HealthStatus{Healthy: true, Message: "stopped"},
		},
		{
			name: "failed", why: "it ought to run",
			phase: failed, failure: errors.New("no such kind"), wantDown: true,
			want: HealthStatus{Message: "no such kind"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := health(c.phase, c.failure, c.streak)
			if got != c.want {
				t.Errorf("%s: got %+v, want %+v", c.why, got, c.want)
			}
			if got.down() != c.wantDown {
				t.Errorf("%s: down = %t, want %t", c.why, got.down(), c.wantDown)
			}
		})
	}
}
