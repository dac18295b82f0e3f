// SPDX-License-Identifier: Apache-2.0

//go:build race

package schemaguard

// raceDetector reports whether the race detector is on. It empties pools at random, so that what is allocated says nothing.
const raceDetector = true
