// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		in   []float64
		want float64
	}{
		{"nothing", nil, 0}, {"one", []float64{3}, 3}, {"odd", []float64{9, 1, 2}, 2}, {"even", []float64{4, 1, 2, 9}, 3},
	} {
		if got := Median(tc.in); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = 100 - i
	}
	for _, tc := range []struct {
		name string
		in   []int
		p    int
		want int
	}{
		{"nothing", nil, 50, 0}, {"one", []int{7}, 99, 7}, {"p50 of a hundred", hundred, 50, 50},
		{"p99 of a hundred", hundred, 99, 99}, {"p99 of few is the largest", []int{1, 2, 3}, 99, 3},
	} {
		if got := Percentile(slices.Clone(tc.in), tc.p); got != tc.want {
			t.Errorf("%s: got %d, want %d", tc.name, got, tc.want)
		}
	}
}

func TestRatio_roundByRound(t *testing.T) {
	t.Parallel()
	// The machine was three times as slow in the second round, which does not affect the ratio.
	a := Series{{P50: 2}, {P50: 6}, {P50: 2}}
	b := Series{{P50: 1}, {P50: 3}, {P50: 1}}
	if got := Ratio(a, b, P50); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
}

func TestPlan_Run(t *testing.T) {
	t.Parallel()
	closed := 0
	var callers [2]int // each caller has its own counter
	failing := errors.New("failing")
	works := Subject{Name: "works", Callers: 2, Open: func(context.Context) (*Opened, error) {
		return &Opened{
			Call:  func(_ context.Context, caller int) error { callers[caller]++; return nil },
			Close: func() error { closed++; return nil },
		}, nil
	}}
	fails := Subject{Name: "fails", Open: func(context.Context) (*Opened, error) {
		calls := 0
		return &Opened{Call: func(context.Context, int) error {
			if calls++; calls > 1000 {
				return failing
			}
			return nil
		}, Close: func() error { closed++; return nil }}, nil
	}}
	missing := Subject{Name: "missing", Open: func(context.Context) (*Opened, error) { return nil, failing }}

	series, failed, err := Plan{Rounds: 3, Turn: time.Millisecond}.Run(t.Context(), []Subject{works, fails, missing})
	if err != nil {
		t.Fatal(err)
	}
	if len(series["works"]) != 3 || failed["works"] != nil {
		t.Errorf("works: got %d rounds and %v", len(series["works"]), failed["works"])
	}
	for _, r := range series["works"] {
		if r.Calls == 0 || r.P99 < r.P50 || r.PerSecond <= 0 {
			t.Errorf("round %+v", r)
		}
	}
	if callers[0] == 0 || callers[1] == 0 {
		t.Errorf("calls by caller: %v", callers)
	}
	if !errors.Is(failed["fails"], failing) || !errors.Is(failed["missing"], failing) || series["fails"] != nil {
		t.Errorf("failed: %v", failed)
	}
	if closed != 2 {
		t.Errorf("closed %d subjects, want 2", closed)
	}
}

func TestPlan_Run_endsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	rounds := 0
	subject := Subject{Name: "one", Open: func(context.Context) (*Opened, error) {
		return &Opened{Call: func(context.Context, int) error {
			if rounds++; rounds == 3 {
				cancel()
			}
			return nil
		}}, nil
	}}
	_, _, err := Plan{Rounds: 1000}.Run(ctx, []Subject{subject})
	if !errors.Is(err, context.Canceled) || rounds > 10 {
		t.Errorf("got %v after %d calls", err, rounds)
	}
}
