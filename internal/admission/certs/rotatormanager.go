// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// rotatorManager is a manager that stops the rotator with its context. The rotator reads its cache with a context of
// its own: when the manager stops before the cache has synced, that read never returns, and the manager waits for the
// rotator until its grace period of 30 s is over, and fails.
type rotatorManager struct{ manager.Manager }

// Add implements manager.Manager.
func (m rotatorManager) Add(r manager.Runnable) error {
	if r, ok := r.(*rotator.CertRotator); ok {
		return m.Manager.Add(stoppable{r})
	}
	return m.Manager.Add(r)
}

// rotatorRunnable is what a manager needs of a *rotator.CertRotator.
type rotatorRunnable interface {
	manager.Runnable
	manager.LeaderElectionRunnable
}

// stoppable returns from Start when the context ends. The process ends soon after.
type stoppable struct{ rotatorRunnable }

// Start implements manager.Runnable.
func (s stoppable) Start(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.rotatorRunnable.Start(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return nil
	}
}
