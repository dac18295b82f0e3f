// SPDX-License-Identifier: Apache-2.0

// Package embedded runs the controllers that are compiled into the operator.
//
// A Controller is what the plugin architecture calls an EmbeddedController: a reconciler with a name, the kinds it is
// for, a Config (EmbeddedConfig there), a life cycle that starts and stops at run time, and its own metrics and health.
// New makes one from any reconciler. The Registry contains all controllers, and runs them for a manager:
//
//	registry := embedded.NewRegistry()
//	err := errors.Join(
//		registry.Register(mgr, embedded.DefaultConfig(), item.New),
//		registry.Register(mgr, embedded.DefaultConfig(), category.New),
//		registry.SetupWithManager(mgr),
//		registry.RegisterMetrics(metrics.Registry),
//		mgr.AddReadyzCheck("embedded", registry.Check),
//	)
//
// One more call of Register adds a controller.
package embedded
