// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Host is what a controller needs from its environment. A manager implements it.
type Host interface {
	// GetCache returns the cache whose informers the controller shares with others.
	GetCache() cache.Cache
	// GetLogger returns the logger from which the controller's logger is derived.
	GetLogger() logr.Logger
}

// Watch defines which events add which requests to the queue.
type Watch struct {
	// Object is an empty object of the kind to watch.
	Object client.Object
	// Handler turns an event into requests.
	Handler handler.EventHandler
	// Predicates filter this watch alone; those of the Config filter every watch.
	Predicates []predicate.Predicate
}

// Options describe a controller.
type Options struct {
	// Name is the controller's name.
	Name string
	// ForTypes are the kinds it is for, at least one.
	ForTypes []schema.GroupVersionKind
	// Reconciler does the work.
	Reconciler reconcile.Reconciler
	// Watches add requests to the queue, at least one.
	Watches []Watch
	// Config is the initial configuration.
	Config Config
	// CacheSyncTimeout limits the wait for the informers at Start. 0 means 2 minutes.
	CacheSyncTimeout time.Duration
	// Clock provides the times in metrics and health. Nil means the system's clock.
	Clock clock.PassiveClock
}

// validate returns an error that names the first missing option.
func (o Options) validate() error {
	switch {
	case o.Name == "":
		return errors.New("embedded controller: no name")
	case len(o.ForTypes) == 0:
		return fmt.Errorf("embedded controller %q: no types", o.Name)
	case o.Reconciler == nil:
		return fmt.Errorf("embedded controller %q: no reconciler", o.Name)
	case len(o.Watches) == 0:
		return fmt.Errorf("embedded controller %q: no watches", o.Name)
	}
	for i, watch := range o.Watches {
		if watch.Object == nil || watch.Handler == nil {
			return fmt.Errorf("embedded controller %q: watch %d needs an object and a handler", o.Name, i)
		}
	}
	if err := o.Config.validate(); err != nil {
		return fmt.Errorf("embedded controller %q: %w", o.Name, err)
	}
	return nil
}
