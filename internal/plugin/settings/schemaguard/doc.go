// SPDX-License-Identifier: Apache-2.0

// Package schemaguard implements the compilation and evaluation of untrusted JSON Schemas with limits on the work.
//
// The library that does the work takes no context and has no limits: a schema of 3 KB can make it take 2⁴⁰ steps. This
// package therefore applies limits in this order:
//
//  1. the text of the schema and of the value is limited in size, depth and number of values before it is decoded
//     (measure.go);
//  2. the schema is limited in the cost of its compilation (document.go) and in its regular expressions
//     (pattern.go);
//  3. the compiled schema is limited in the number of schemas that apply to one value (expand.go);
//  4. each evaluation is charged for the evaluations of its subschemas before they start, from a budget of steps
//     (meter.go, cost.go).
//
// All limits are counts and not durations, so that a result does not depend on the machine.
package schemaguard
