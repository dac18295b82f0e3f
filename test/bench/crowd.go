// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/test/bench/guest"
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
func (s *session) idlePlugins(ctx context.Context) (idleResult, error) {
	return s.idle.get(func() (result idleResult, err error) {
		module, err := s.module("c")
		if err != nil {
			return result, err
		}
		c, err := s.useCluster()
		if err != nil {
			return result, err
		}
		t, err := c.newTenant(ctx)
		if err != nil {
			return result, err
		}
		p, err := s.startOperatorProcess(ctx, c)
		if err != nil {
			return result, err
		}
		defer func() { err = errors.Join(err, p.stop()) }()
		// The first plugin starts the shared informers, which all others use.
		if err := t.crowd(ctx, module, 0, 1); err != nil {
			return result, err
		}
		before, err := p.memory(ctx)
		if err != nil {
			return result, err
		}
		s.log("the operator's CPU time for %s with one plugin", idleTime/2)
		if result.cpuNone, err = p.cpu(ctx, idleTime/2); err != nil {
			return result, err
		}
		s.log("making %d plugins", some)
		if err := t.crowd(ctx, module, 1, some); err != nil {
			return result, err
		}
		s.log("the operator's CPU time for %s with %d plugins", idleTime, some)
		if result.cpu, err = p.cpu(ctx, idleTime); err != nil {
			return result, err
		}
		s.log("making %d more", many-some)
		if err := t.crowd(ctx, module, some, many); err != nil {
			return result, err
		}
		after, err := p.memory(ctx)
		result.memory = after - before
		return result, errors.Join(err, t.Client.DeleteAllOf(ctx, &pluginsv1alpha1.WasmPlugin{}, client.InNamespace(t.ns)))
	})
}

// crowd creates plugins with distinct modules, and waits until all plugins of the tenant are ready. They keep no idle
// instances.
func (t tenant) crowd(ctx context.Context, module plugin.Module, from, to int) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(creators)
	for i := from; i < to; i++ {
		group.Go(func() error {
			name := fmt.Sprintf("idle-%04d", i)
			if err := t.store(inner, name, guest.Distinct(module.Bytes, i)); err != nil {
				return err
			}
			wp := t.wasmPlugin(name, "{}")
			wp.Spec.Runtime.IdleSeconds = new(int32(0))
			return t.create(inner, wp)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return testenv.Poll(ctx, patience, func(ctx context.Context) error {
		var list pluginsv1alpha1.WasmPluginList
		if err := t.Client.List(ctx, &list, client.InNamespace(t.ns)); err != nil {
			return err
		}
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

// cpu returns the share of one CPU core that the process uses during the given time, after it has come to rest.
func (p *operatorProcess) cpu(ctx context.Context, during time.Duration) (float64, error) {
	wait(ctx, 3*time.Second)
	before, err := cpuTime(p.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	wait(ctx, during)
	after, err := cpuTime(p.cmd.Process.Pid)
	return (after - before).Seconds() / time.Since(start).Seconds(), err
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
				measure: func(ctx context.Context, s *session) (float64, error) {
					r, err := s.idlePlugins(ctx)
					return r.cpu * 100, err
				},
				note: func(s *session) string { return fmt.Sprintf("with one plugin %.2f %%", s.idle.value.cpuNone*100) },
			},
			{
				name: "memory-1000-idle", what: "memory of 1,000 idle plugins", unit: "MiB", seed: "50–200 plugins in one process", target: atMost(300),
				measure: func(ctx context.Context, s *session) (float64, error) {
					r, err := s.idlePlugins(ctx)
					return float64(r.memory) / (1 << 20), err
				},
			},
			busyRow("busy-50-calls", "50 plugins busy at once, Rust, calls of all", "/s", func(r crowdResult) float64 { return r.perSecond }),
			busyRow("busy-50-p99", "50 plugins busy at once, Rust, p99 of a call", "µs", func(r crowdResult) float64 { return r.p99.Seconds() * micros }),
		},
	}
}
