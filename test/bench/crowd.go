// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/test/bench/guest"
	"github.com/k1s-io/k1s/test/bench/measure"
)

const (
	// some is the number of idle plugins while the operator's CPU time is measured, many that while its memory is
	// measured.
	some, many = 200, 1000
	// idleTime is how long the CPU time is measured.
	idleTime = 20 * time.Second
	// creators is how many plugins are created concurrently.
	creators = 4
)

// idleResult is the resource usage of an operator with idle plugins.
type idleResult struct {
	// cpu is the share of one CPU core that the operator uses with some plugins, cpuNone that with one plugin.
	cpu, cpuNone float64
	// memory is the memory that the plugins add, in bytes.
	memory int64
}

// idlePlugins runs an operator in its own process, and creates distinct plugins that have nothing to do.
func (s *session) idlePlugins() (result idleResult) {
	module, t := s.module("c"), s.cluster().newTenant()
	operator := s.startOperatorProcess()
	defer operator.stop()
	memory := func() int64 {
		var u usage
		operator.ask(usageRequest{Settle: true}, &u)
		return u.Memory
	}
	// The first plugin starts the shared informers, which all others use.
	t.crowd(module, 0, 1)
	before := memory()
	s.log("the operator's CPU time for %s with one plugin", idleTime/2)
	result.cpuNone = s.cpuShare(operator, idleTime/2)
	s.log("making %d plugins", some)
	t.crowd(module, 1, some)
	s.log("the operator's CPU time for %s with %d plugins", idleTime, some)
	result.cpu = s.cpuShare(operator, idleTime)
	s.log("making %d more", many-some)
	t.crowd(module, some, many)
	result.memory = memory() - before
	check(t.Client.DeleteAllOf(s.ctx, &pluginsv1alpha1.WasmPlugin{}, client.InNamespace(t.ns)))
	return result
}

// crowd creates plugins with distinct modules, and waits until all plugins of the tenant are ready. They keep no idle
// instances.
func (t tenant) crowd(module plugin.Module, from, to int) {
	var group errgroup.Group
	group.SetLimit(creators)
	for i := from; i < to; i++ {
		group.Go(func() error {
			return try(func() {
				wp := t.wasmPlugin(fmt.Sprintf("idle-%04d", i), "{}")
				wp.Spec.Runtime.IdleSeconds = new(int32(0))
				t.store(wp.Name, guest.Distinct(module.Bytes, i))
				t.create(wp)
			})
		})
	}
	check(group.Wait())
	t.poll(func() error {
		var list pluginsv1alpha1.WasmPluginList
		check(t.Client.List(t.ctx, &list, client.InNamespace(t.ns)))
		var failed error
		ready := 0
		for i := range list.Items {
			if err := serves(&list.Items[i], ""); err != nil {
				failed = fmt.Errorf("%s: %w", list.Items[i].Name, err)
			} else {
				ready++
			}
		}
		if ready < to {
			return fmt.Errorf("%d of %d serve: %w", ready, to, failed)
		}
		return nil
	})
}

// cpuShare returns the share of one CPU core that an operator uses during the given time, after it has come to rest.
func (s *session) cpuShare(operator *child, during time.Duration) float64 {
	var before, after usage
	s.wait(3 * time.Second)
	start := time.Now()
	operator.ask(usageRequest{}, &before)
	s.wait(during)
	operator.ask(usageRequest{}, &after)
	return (after.CPU - before.CPU).Seconds() / time.Since(start).Seconds()
}

// crowdRows returns the rows about many plugins in one operator.
func crowdRows() section {
	return section{
		title: "Many plugins in one operator",
		note: "An operator in a process of its own, with a real API server, and plugins of distinct modules of the C guest that have nothing to do and keep no instance. " +
			"Its memory is counted as above, beyond what it has with one plugin; the copies of the WasmPlugins in its cache are in it.",
		rows: []row{
			{
				name: "cpu-200-idle", what: fmt.Sprintf("CPU with %d idle plugins", some), unit: "% of a core", seed: "1–3 %", target: atMost(1),
				value: resultOf(func(s *session) float64 { return s.idle().cpu * 100 }),
				note:  func(s *session) string { return fmt.Sprintf("with one plugin %.2f %%", s.idle().cpuNone*100) },
			},
			{
				name: "memory-1000-idle", what: "memory of 1,000 idle plugins", unit: "MiB", seed: "50–200 plugins in one process", target: atMost(300),
				value: resultOf(func(s *session) float64 { return float64(s.idle().memory) / (1 << 20) }),
			},
			{
				name: "busy-50-calls", what: "50 plugins busy at once, Rust, calls of all", unit: "/s",
				value: resultOf(func(s *session) float64 { return s.busy().Median(measure.PerSecond) }),
			},
			{
				name: "busy-50-p99", what: "50 plugins busy at once, Rust, p99 of a call", unit: "µs",
				value: resultOf(func(s *session) float64 { return s.busy().Median(microP99) }),
			},
		},
	}
}
