// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"context"
	"sync"
	"testing"
)

// crowd is the attack name that stands for all attacks at once.
const crowd = "all attacks at once"

// crowdSize is how many attacks run at a time.
const crowdSize = 8

// TestAttack_crowd runs all attacks in one process, in one engine, next to one good plugin.
func TestAttack_crowd(t *testing.T) {
	t.Parallel()
	inChild(t, crowd)
}

func runCrowd() report {
	ctx := context.Background()
	a, err := newTestbed(ctx)
	if err != nil {
		return report{Failures: []string{err.Error()}}
	}
	var all sync.WaitGroup
	turns := make(chan struct{}, crowdSize)
	for _, it := range attacks() {
		if it.at == builds {
			continue // one of them at a time is enough
		}
		turns <- struct{}{}
		all.Go(func() {
			a.attack(ctx, it)
			<-turns
		})
	}
	all.Wait()
	return a.finish(ctx)
}
