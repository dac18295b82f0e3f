// SPDX-License-Identifier: Apache-2.0

// Package schemaguard compiles and evaluates JSON Schemas of strangers with limits on the work.
//
// The library that does the work takes no context and has no limits: a schema of 3 KB can make it take 2⁴⁰ steps. So, in
// this order: the text of schema and value is limited in size, depth and values before it is decoded (measure.go); the
// schema is limited in what compiling it costs (document.go) and in its regular expressions (pattern.go); the compiled
// schema is limited in how many schemas apply to one value (expand.go); and each evaluation pays for the ones below
// it before they begin, out of a budget of steps (meter.go, cost.go). Every limit counts, none is a time, so that a
// verdict does not depend on the machine.
package schemaguard
