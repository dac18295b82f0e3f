// SPDX-License-Identifier: Apache-2.0

// Package measure measures subjects against each other: in rounds in which every subject has a turn, so that other load
// on the machine affects all of them, with medians over the rounds.
package measure

import (
	"cmp"
	"slices"
	"syscall"
	"time"
)

// Round is the result of one subject in one turn.
type Round struct {
	P50, P99 time.Duration
	// PerSecond is the number of calls of all callers per second.
	PerSecond float64
	// PerCPUSecond is the number of calls per second of this process's CPU time, which is the throughput of one core
	// without other load. It has no meaning for work that another process does.
	PerCPUSecond float64
	Calls        int
}

// Series is the results of one subject in all of its turns.
type Series []Round

// Quantile returns one number of a round.
type Quantile func(Round) float64

// P50 returns the median of a round in seconds.
func P50(r Round) float64 { return r.P50.Seconds() }

// P99 returns the 99th percentile of a round in seconds.
func P99(r Round) float64 { return r.P99.Seconds() }

// PerSecond returns the calls per second.
func PerSecond(r Round) float64 { return r.PerSecond }

// PerCPUSecond returns the calls per second of CPU time.
func PerCPUSecond(r Round) float64 { return r.PerCPUSecond }

// Median returns the median of one number over the rounds.
func (s Series) Median(q Quantile) float64 {
	numbers := make([]float64, len(s))
	for i, r := range s {
		numbers[i] = q(r)
	}
	return Median(numbers)
}

// Ratio returns the median of the ratios of a's number to b's, round by round.
func Ratio(a, b Series, q Quantile) float64 {
	numbers := make([]float64, min(len(a), len(b)))
	for i := range numbers {
		numbers[i] = q(a[i]) / q(b[i])
	}
	return Median(numbers)
}

// Median returns the median, or 0 without numbers.
func Median[T int64 | float64 | time.Duration](numbers []T) T {
	if len(numbers) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(numbers))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// Percentile returns the smallest number that is not less than p percent of the numbers. It sorts them.
func Percentile[T cmp.Ordered](numbers []T, p int) T {
	if len(numbers) == 0 {
		var none T
		return none
	}
	slices.Sort(numbers)
	return numbers[max((len(numbers)*p+99)/100-1, 0)]
}

// CPUTime returns the CPU time that this process has used.
func CPUTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
