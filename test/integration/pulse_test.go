// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/k1s-io/k1s/internal/testenv/cputime"
)

// pause is the longest time between two heartbeats. It shows what keeps the whole process from running, such as native
// code that the garbage collector waits for.
type pause struct {
	// elapsed is wall-clock time, and includes the time for which other processes keep this one waiting. busy is the
	// CPU time of all threads of the process, and does not include it.
	elapsed, busy time.Duration
}

// servePulse beats once per millisecond, and answers each request with the longest pause since the previous answer.
func servePulse(address string) {
	var elapsed, busy atomic.Int64
	go func() {
		last, used := time.Now(), cputime.Now()
		for range time.Tick(time.Millisecond) {
			now, uses := time.Now(), cputime.Now()
			elapsed.Store(max(elapsed.Load(), int64(now.Sub(last))))
			busy.Store(max(busy.Load(), int64(uses-used)))
			last, used = now, uses
		}
	}()
	server := http.Server{Addr: address, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, elapsed.Swap(0), busy.Swap(0))
	})}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
}

// pulse returns the longest pause of a process since the previous call.
func pulse(t *testing.T, address string) (longest pause) {
	t.Helper()
	get := func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		_, err = fmt.Sscan(string(text), (*int64)(&longest.elapsed), (*int64)(&longest.busy))
		return err
	}
	if err := get(t.Context()); err != nil {
		t.Fatalf("the operator's pulse: %v", err)
	}
	return longest
}
