// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"
)

func TestMeter_flat(t *testing.T) {
	t.Parallel()
	// run returns a minute of samples, one per second, whose memory and goroutines are functions of the time.
	run := func(mib, goroutines func(second int) int) *meter {
		m := &meter{}
		for second := range 60 {
			r := reading{age: warm, resident: uint64(mib(second)) << 20, goroutines: goroutines(second)}
			m.samples = append(m.samples, sampled{reading: r, at: time.Duration(second) * time.Second})
		}
		return m
	}
	steady := func(level int) func(int) int { return func(second int) int { return level + second%7 } }
	tests := []struct {
		name  string
		meter *meter
		want  string // part of the error; empty if there must be no error
	}{
		{name: "steady", meter: run(steady(100), steady(400))},
		{name: "grows within the slack", meter: run(func(s int) int { return 100 + s }, steady(400))},
		{name: "memory grows", meter: run(func(s int) int { return 100 + 5*s }, steady(400)), want: "memory grew from 150 to 350 MiB"},
		{name: "goroutines grow", meter: run(steady(100), func(s int) int { return 100 + 10*s }), want: "goroutines grew from 200 to 600"},
		{name: "nothing to compare", meter: &meter{}, want: "no operator lived long enough"},
	}
	for _, tt := range tests {
		err := tt.meter.flat()
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	cold := run(func(s int) int { return 100 + 5*s }, steady(400))
	for i := range cold.samples {
		cold.samples[i].age = warm - 1
	}
	if err := cold.flat(); err == nil || !strings.Contains(err.Error(), "no operator lived long enough") {
		t.Errorf("operators that have just started: %v", err)
	}
}
