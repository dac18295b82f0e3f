// SPDX-License-Identifier: Apache-2.0

// Package decorate implements the decorators around the Runner of a revision: metrics, tracing, result cache, circuit
// breaker and batching. A call passes them in this order, from the outside in:
//
//  1. metrics: every call of every kind counts, including those that the inner decorators answer themselves;
//  2. tracing: a span covers the same call as the metrics. There are no spans if no exporter is configured;
//  3. result cache: it is outside the breaker, because a cached reply says nothing about the guest. It must not
//     end the breaker's pause, and may be returned during one;
//  4. circuit breaker: it is outside the batch, so that each joined request counts by its own outcome: one
//     request that breaks its batch is one failure, not thirty-two;
//  5. batch: it is next to the engine, because it waits for the engine's instances. Its own calls belong to no
//     single caller, and have metrics and spans too;
//  6. the engine's runner.
//
// There is no concurrency limit here, because the engine's pool has one (spec.runtime.maxInstances), and calls that
// wait for it honor their context. There is no rate limit on calls either: they are caused by the cluster, and a plugin
// can cause them only by its writes, which internal/access limits.
//
// Each revision gets its own decorators: a new revision starts with a closed breaker and an empty cache.
package decorate
