// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/test/bench/guest"
	"github.com/k1s-io/k1s/test/bench/measure"
)

// session is one run of the benchmark. It holds what the rows share.
type session struct {
	ctx context.Context
	// root is the root directory of the repository.
	root   string
	guests guest.Dir
	plan   measure.Plan
	// scratch is a temporary directory, which is removed at the end.
	scratch string
	log     func(format string, args ...any)

	// series and failed are the results and the errors of the subjects, by name.
	series map[string]measure.Series
	failed map[string]error

	// Each of these starts or measures something when it is called for the first time.
	cluster  func() *cluster
	embedded func() *embeddedControllers
	swaps    func() swapResult
	writes   func() []time.Duration
	admitted func() admissionResult
	idle     func() idleResult
	busy     func() measure.Series
	warm     map[string]func() footprint

	closers []func() error
}

func newSession(ctx context.Context, root, guests string, turn time.Duration) (*session, error) {
	scratch, err := os.MkdirTemp("", "k1s-bench-")
	if err != nil {
		return nil, err
	}
	start := time.Now()
	s := &session{
		ctx: ctx, root: root, guests: guest.Dir(guests), scratch: scratch,
		series: map[string]measure.Series{}, failed: map[string]error{}, warm: map[string]func() footprint{},
	}
	s.log = func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "%6.1fs  %s\n", time.Since(start).Seconds(), fmt.Sprintf(format, args...))
	}
	s.plan = measure.Plan{Rounds: rounds, Turn: turn, Progress: func(what string) { s.log("%s", what) }}
	s.cluster = sync.OnceValue(s.startCluster)
	s.embedded = sync.OnceValue(s.startEmbedded)
	s.swaps = sync.OnceValue(s.swapUnderLoad)
	s.writes = sync.OnceValue(s.writeTimes)
	s.admitted = sync.OnceValue(s.admissionTimes)
	s.idle = sync.OnceValue(s.idlePlugins)
	s.busy = sync.OnceValue(s.busyPlugins)
	for _, language := range guest.Languages() {
		s.warm[language] = sync.OnceValue(func() footprint { return s.footprint(language) })
	}
	return s, nil
}

// close stops everything in reverse order.
func (s *session) close() error {
	var err error
	for _, stop := range slices.Backward(s.closers) {
		err = errors.Join(err, stop())
	}
	return errors.Join(err, os.RemoveAll(s.scratch))
}

// onClose registers a function that close calls.
func (s *session) onClose(stop func() error) { s.closers = append(s.closers, stop) }

// dir creates a directory in the scratch directory.
func (s *session) dir(name string) string {
	dir := filepath.Join(s.scratch, name)
	check(os.MkdirAll(dir, 0o700))
	return dir
}

// file returns the content of a file of the repository.
func (s *session) file(path ...string) []byte {
	return must(os.ReadFile(filepath.Join(s.root, filepath.Join(path...))))
}

// module returns a guest for the engine.
func (s *session) module(language string) plugin.Module {
	return plugin.NewModule(must(s.guests.Read(language + "-k1s")))
}

// measure measures the subjects in rounds and stores their results.
func (s *session) measure(subjects []measure.Subject) (err error) {
	s.series, s.failed, err = s.plan.Run(s.ctx, subjects)
	return err
}

// of returns the results of a subject.
func (s *session) of(subject string) measure.Series {
	check(s.failed[subject])
	series, ok := s.series[subject]
	if !ok {
		check(fmt.Errorf("%s was not measured", subject))
	}
	return series
}

// wait waits for a duration, or until the session ends.
func (s *session) wait(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
	}
}
