// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// soak is one run.
type soak struct {
	options
	start   time.Time
	dir     string
	server  *server
	client  client.Client
	manager *manager
	plugins []*tenant
	meter   meter

	swaps, swapErrors, changes, changeErrors, kills, serverKills atomic.Int64
}

func newSoak(ctx context.Context, o options) (*soak, error) {
	for _, built := range []string{"bin/manager", hierarchyFile} {
		if _, err := os.Stat(built); err != nil {
			return nil, fmt.Errorf("%w: use `make soak` in the repository's root folder", err)
		}
	}
	dir, err := os.MkdirTemp("", "k1s-soak-")
	if err != nil {
		return nil, err
	}
	s := &soak{options: o, start: time.Now(), dir: dir}
	s.meter.start = s.start
	if s.server, err = startServer(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.client = s.server.client
	kubeconfig, err := s.server.operator(ctx, dir)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.manager = newManager(dir, kubeconfig)
	return s, nil
}

// close stops everything and removes the directory of the run, unless the run failed: then it keeps the operator's
// logs.
func (s *soak) close() error {
	var err error
	if s.manager != nil {
		err = s.manager.kill()
	}
	err = errors.Join(err, s.server.stop())
	if s.manager != nil && len(s.meter.problems()) > 0 {
		fmt.Fprintln(os.Stderr, "the operator's logs are in", s.dir)
		return err
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// say prints a line with the time since the start.
func (s *soak) say(format string, args ...any) {
	fmt.Printf("%7s  %s\n", time.Since(s.start).Round(time.Second), fmt.Sprintf(format, args...))
}

// prepare creates the plugins and waits until all of them serve.
func (s *soak) prepare(ctx context.Context) error {
	if err := s.manager.launch(); err != nil {
		return err
	}
	hierarchy, err := os.ReadFile(filepath.FromSlash(hierarchyFile))
	if err != nil {
		return err
	}
	for i := range s.options.plugins {
		t := &tenant{client: s.client, ns: fmt.Sprintf("soak-%02d", i), module: soaker{}}
		if i < s.goPlugins {
			t.module = sample{bytes: hierarchy}
		}
		if err := t.create(ctx); err != nil {
			return fmt.Errorf("make plugin %s: %w", t.ns, err)
		}
		s.plugins = append(s.plugins, t)
	}
	return s.await(ctx, s.allServe)
}

// disturb disturbs the operator until the time is over. The operator runs when it returns.
func (s *soak) disturb(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.duration)
	defer cancel()
	var all sync.WaitGroup
	turn := 0
	for _, loop := range []struct {
		every time.Duration
		do    func(context.Context)
	}{
		{s.swapEvery, func(ctx context.Context) {
			s.count(ctx, &s.swaps, &s.swapErrors, s.plugins[turn%len(s.plugins)].swap(ctx))
			turn++
		}},
		{s.changeEvery, func(ctx context.Context) {
			s.count(ctx, &s.changes, &s.changeErrors, s.plugins[rand.IntN(len(s.plugins))].change(ctx, s.objects))
		}},
		{s.killEvery, s.killManager},
		{s.duration / time.Duration(s.options.serverKills+1), s.killServer},
		{time.Second, s.sample},
		{10 * time.Second, s.report},
	} {
		all.Go(func() {
			tick := time.NewTicker(loop.every)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					loop.do(ctx)
				}
			}
		})
	}
	all.Wait()
}

// count counts a successful or a failed operation. Operations that fail because the API server is down do not fail the
// run.
func (s *soak) count(ctx context.Context, done, failed *atomic.Int64, err error) {
	switch {
	case err == nil:
		done.Add(1)
	case ctx.Err() == nil:
		failed.Add(1)
	}
}

// calm is how long before the end nothing is killed: a new operator reconciles all objects, and would hide lost events.
const calm = 30 * time.Second

// calmNow reports whether the end is closer than calm.
func (s *soak) calmNow(ctx context.Context) bool {
	end, _ := ctx.Deadline()
	return time.Until(end) < min(calm, s.killEvery/2)
}

func (s *soak) killManager(ctx context.Context) {
	if s.calmNow(ctx) {
		return
	}
	if err := errors.Join(s.manager.kill(), s.manager.launch()); err != nil {
		s.meter.fail("restart the operator: %v", err)
		return
	}
	s.kills.Add(1)
}

func (s *soak) killServer(ctx context.Context) {
	if s.calmNow(ctx) || s.serverKills.Load() == int64(s.options.serverKills) {
		return
	}
	if err := s.server.restart(ctx); err != nil {
		s.meter.fail("restart the API server: %v", err)
		return
	}
	s.serverKills.Add(1)
	s.say("the API server was killed and is back")
}
