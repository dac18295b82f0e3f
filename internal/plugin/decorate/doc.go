// SPDX-License-Identifier: Apache-2.0

// Package decorate wraps what runs a revision in what is not the engine's business. A call passes, from
// the outside in:
//
//  1. metrics: every call of every kind counts, also those that the next ones answer themselves;
//  2. tracing: a span tells the same story as the metrics, and there is none where no exporter is configured;
//  3. result cache: before the breaker, because an answer from memory says nothing about the guest: it
//     must not end a pause, and may be given during one;
//  4. circuit breaker: before the batch, so that each of the requests that are joined counts by its own
//     outcome: one that breaks its batch is one failure, not thirty-two;
//  5. batch: next to the engine, as it waits for the engine's instances. Its own calls, which belong to no
//     caller alone, have metrics and spans too;
//  6. the engine's runner.
//
// There is no limit on concurrency here: the engine's pool has one (spec.runtime.maxInstances), whose
// waiters honor their context. Nor is there one on the rate of calls, which come from the cluster and
// which the plugin cannot cause but by writing: its requests are limited, in internal/access.
//
// Each revision gets decorators of its own: a new one starts with a closed breaker and an empty cache.
package decorate
