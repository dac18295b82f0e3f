// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"context"
	"sync"
	"testing"
)

// crowd is the name of all attacks at once.
const crowd = "all attacks at once"

// crowdSize is how many attacks are under way at a time.
const crowdSize = 8

// All of them in one process, in one engine, against one neighbor.
func TestAttack_crowd(t *testing.T) {
	t.Parallel()
	inChild(t, crowd)
}

func runCrowd() report {
	ctx := context.Background()
	a, err := newArena(ctx)
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
