// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"testing"
	"time"
)

func TestStatus_String(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		in   status
		want string
	}{
		{
			name: "before the packages are known",
			in:   status{name: "etcd", downloaded: 12, elapsed: 4900 * time.Millisecond},
			want: "etcd: resolving modules, 12 downloaded, 4s",
		},
		{
			name: "compiling",
			in:   status{name: "kube-apiserver", downloaded: 300, compiled: 412, total: 1893, elapsed: 72 * time.Second},
			want: "kube-apiserver: compiled 412 of at most 1893 packages, 1m12s",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := tc.in.String(); got != tc.want {
				t.Errorf("status = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestProgress_rendering(t *testing.T) {
	t.Parallel()
	s := status{name: "etcd", compiled: 1, total: 2}
	for _, tc := range []struct {
		name     string
		terminal bool
		want     string
	}{
		{
			name: "in a log every update is a line",
			want: "start\netcd: compiled 1 of at most 2 packages, 0s\netcd: compiled 1 of at most 2 packages, 0s\nend\n",
		},
		{
			name:     "on a terminal updates overwrite each other",
			terminal: true,
			want: clearLine + "start\n" + clearLine + "etcd: compiled 1 of at most 2 packages, 0s" +
				clearLine + "etcd: compiled 1 of at most 2 packages, 0s" + clearLine + "end\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			p := progress{out: &out, terminal: tc.terminal}
			p.line("start")
			p.update(s)
			p.update(s)
			p.line("end")
			if got := out.String(); got != tc.want {
				t.Errorf("output = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestIsTerminal_buffer(t *testing.T) {
	t.Parallel()
	if isTerminal(&bytes.Buffer{}) {
		t.Error("a buffer is taken for a terminal")
	}
}
