// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/k1s-io/k1s/test/bench/peer"
	"github.com/k1s-io/k1s/test/bench/work"
)

// TestMain makes the test binary serve as the plugin process that go-plugin starts.
func TestMain(m *testing.M) {
	if peer.ServeGoPlugin() {
		return
	}
	os.Exit(m.Run())
}

func TestGoPlugin_answersAsNative(t *testing.T) {
	t.Parallel()
	p, err := peer.NewGoPlugin(work.Category())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	got, err := p.Reconcile(t.Context(), work.Input())
	if err != nil || !bytes.Equal(got, expected()) {
		t.Errorf("got %q and %v, want %q", got, err, expected())
	}
}
