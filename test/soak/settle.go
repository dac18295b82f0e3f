// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/k1s-io/k1s/internal/testenv"
)

// await polls until a check holds, while readings are taken.
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

// allServe says which plugin does not serve what is stored.
func (s *soak) allServe(ctx context.Context) error {
	for _, t := range s.plugins {
		if err := t.serves(ctx); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until the plugins serve the last versions and every object is answered. Nothing is touched
// but modules that an API server may not have taken before it died: a swap has all objects reconciled, and
// would make up for events that were lost.
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
