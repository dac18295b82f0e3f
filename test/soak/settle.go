// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/k1s-io/k1s/internal/testenv"
)

// await polls a check until it succeeds, and takes readings meanwhile.
func (s *soak) await(ctx context.Context, check func(context.Context) error) error {
	err := testenv.Poll(ctx, s.options.settle, func(ctx context.Context) error {
		s.sample(ctx)
		return check(ctx)
	})
	if err != nil {
		return fmt.Errorf("not within %s: %w", s.options.settle, err)
	}
	return nil
}

// allServe returns an error if a plugin does not serve the module that is stored.
func (s *soak) allServe(ctx context.Context) error {
	for _, t := range s.plugins {
		if err := t.isServing(ctx); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until the plugins serve the last versions and have reconciled every object. It only stores the last
// versions again, in case an API server was killed before it accepted them. It does not change anything else, because a
// swap reconciles all objects and would hide lost events.
func (s *soak) settle(ctx context.Context) error {
	for _, t := range s.plugins {
		if err := t.store(ctx); err != nil {
			return fmt.Errorf("store the last version of %s: %w", t.ns, err)
		}
	}
	if err := s.await(ctx, s.allServe); err != nil {
		return err
	}
	total := 0
	err := s.await(ctx, func(ctx context.Context) error {
		total = 0
		for _, t := range s.plugins {
			n, err := t.answered(ctx)
			if total += n; err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.say("all of %d objects are answered in their last generation, by the last version of %d plugins", total, len(s.plugins))
	}
	return err
}
