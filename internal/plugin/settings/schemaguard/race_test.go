// SPDX-License-Identifier: Apache-2.0

//go:build race

package schemaguard

// raceDetector is true if the race detector is enabled. It empties pools at random, so that measured allocations have
// no meaning.
const raceDetector = true
