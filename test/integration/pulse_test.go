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

// servePulse beats once in a millisecond, and answers each request with the longest pause since the one before, in
// microseconds: what keeps the whole process from running, such as native code that the garbage collector waits for. A
// pause is measured in the processor time of all of the process's threads: other processes that keep it waiting are none
// of its business.
func servePulse(address string) {
	var longest atomic.Int64
	go func() {
		last := cputime.Now()
		for range time.Tick(time.Millisecond) {
			now := cputime.Now()
			if pause := (now - last).Microseconds(); pause > longest.Load() {
				longest.Store(pause)
			}
			last = now
		}
	}()
	server := http.Server{Addr: address, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, longest.Swap(0))
	})}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
}

// pulse returns the longest pause of a process's heart since it was asked before.
func pulse(t *testing.T, address string) time.Duration {
	t.Helper()
	var micros int64
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
		_, err = fmt.Sscan(string(text), &micros)
		return err
	}
	if err := get(t.Context()); err != nil {
		t.Fatalf("the operator's pulse: %v", err)
	}
	return time.Duration(micros) * time.Microsecond
}
