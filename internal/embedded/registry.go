// SPDX-License-Identifier: Apache-2.0

package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// Registry contains the controllers of a process by name.
type Registry struct {
	clock clock.Clock // paces the retries of failed starts

	mu          sync.RWMutex
	controllers map[string]Controller
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry {
	return &Registry{clock: clock.RealClock{}, controllers: map[string]Controller{}}
}

// Register constructs a controller and adds it.
func (r *Registry) Register(mgr manager.Manager, config Config, construct Constructor) error {
	controller, err := construct(mgr, config)
	if err != nil {
		return fmt.Errorf("make an embedded controller: %w", err)
	}
	return r.Add(controller)
}

// Add adds a controller. It returns a *DuplicateError if the name is taken. When the manager starts, it starts the
// controllers that are registered by then. A controller that is added later has to be started with its Start method,
// and is stopped with the others.
func (r *Registry) Add(controller Controller) error {
	name := controller.GetName()
	if name == "" {
		return errors.New("register an embedded controller: it has no name")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.controllers[name]; taken {
		return &DuplicateError{Name: name}
	}
	r.controllers[name] = controller
	return nil
}

// Get returns the controller of that name.
func (r *Registry) Get(name string) (Controller, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	controller, found := r.controllers[name]
	return controller, found
}

// List returns all controllers, sorted by name.
func (r *Registry) List() []Controller {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := make([]Controller, 0, len(r.controllers))
	for _, controller := range r.controllers {
		list = append(list, controller)
	}
	slices.SortFunc(list, func(a, b Controller) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return list
}

// Check is a healthz.Checker. It fails for the controllers that ought to run and do not: those that are starting, or
// whose start has failed. It passes on a replica that is not the leader, because such a replica runs no controllers.
func (r *Registry) Check(_ *http.Request) error {
	var errs []error
	for _, controller := range r.List() {
		if health := controller.GetHealth(); health.down() {
			errs = append(errs, fmt.Errorf("embedded controller %q: %s", controller.GetName(), health.Message))
		}
	}
	return errors.Join(errs...)
}
