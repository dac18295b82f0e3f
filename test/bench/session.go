// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/test/bench/guest"
	"github.com/k1s-io/k1s/test/bench/measure"
)

// session is one run of the benchmark. It holds what the rows share.
type session struct {
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

	cluster  lazy[*cluster]
	embedded lazy[*embeddedControllers]
	swaps    lazy[swapResult]
	writes   lazy[writeResult]
	admitted lazy[admissionResult]
	idle     lazy[idleResult]
	crowd    lazy[crowdResult]
	warm     map[string]*lazy[footprint]

	closers []func() error
}

func newSession(root string, guests string, turn time.Duration) (*session, error) {
	scratch, err := os.MkdirTemp("", "k1s-bench-")
	if err != nil {
		return nil, err
	}
	start := time.Now()
	s := &session{
		root: root, guests: guest.Dir(guests), scratch: scratch,
		series: map[string]measure.Series{}, failed: map[string]error{}, warm: map[string]*lazy[footprint]{},
	}
	s.log = func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "%6.1fs  %s\n", time.Since(start).Seconds(), fmt.Sprintf(format, args...))
	}
	s.plan = measure.Plan{Rounds: rounds, Turn: turn, Progress: func(what string) { s.log("%s", what) }}
	for _, language := range guest.Languages() {
		s.warm[language] = &lazy[footprint]{}
	}
	return s, nil
}

// close stops everything in reverse order.
func (s *session) close() error {
	var err error
	for i := len(s.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, s.closers[i]())
	}
	return errors.Join(err, os.RemoveAll(s.scratch))
}

// onClose registers a function that close calls.
func (s *session) onClose(stop func() error) { s.closers = append(s.closers, stop) }

// dir creates a directory in the scratch directory.
func (s *session) dir(name string) (string, error) {
	dir := filepath.Join(s.scratch, name)
	return dir, os.MkdirAll(dir, 0o700)
}

// module returns a guest for the engine.
func (s *session) module(language string) (plugin.Module, error) {
	bytes, err := s.guests.Read(language + "-k1s")
	if err != nil {
		return plugin.Module{}, err
	}
	return plugin.NewModule(bytes), nil
}

// measure measures the subjects in rounds and stores their results.
func (s *session) measure(ctx context.Context, subjects []measure.Subject) error {
	series, failed, err := s.plan.Run(ctx, subjects)
	for name, one := range series {
		s.series[name] = one
	}
	for name, err := range failed {
		s.failed[name] = err
	}
	return err
}

// of returns the results of a subject.
func (s *session) of(subject string) (measure.Series, error) {
	if err := s.failed[subject]; err != nil {
		return nil, err
	}
	series, ok := s.series[subject]
	if !ok {
		return nil, fmt.Errorf("%s was not measured", subject)
	}
	return series, nil
}

// lazy is a value that is produced once, when it is needed for the first time.
type lazy[T any] struct {
	once  sync.Once
	value T
	err   error
}

func (l *lazy[T]) get(produce func() (T, error)) (T, error) {
	l.once.Do(func() { l.value, l.err = produce() })
	return l.value, l.err
}
