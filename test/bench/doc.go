// SPDX-License-Identifier: Apache-2.0

// Package bench measures the engine: what a call, an instance and a load cost. Run it by `make bench`,
// and compare two runs with benchstat; times of one run on a shared machine say little.
package bench
