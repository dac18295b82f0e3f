// SPDX-License-Identifier: Apache-2.0

// Command demo implements a demonstration of the operator on a temporary control plane: a real API server and etcd, the
// operator's own binary with the permissions of its ClusterRole, and the sample plugin from a ConfigMap. It checks
// every step, and exits with 0 only if all checks pass. With -stay it keeps everything running until Ctrl-C. It needs
// KUBEBUILDER_ASSETS, bin/manager and plugins/*.wasm: use `make demo` or `make run`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(demoMain()) }

// demoMain returns the exit code after all deferred functions have run.
func demoMain() int {
	stay := flag.Bool("stay", false, "keep everything running until Ctrl-C, and print how to reach it")
	flag.Parse()
	// The first Ctrl-C stops the demo gracefully: everything that it started is stopped before it exits.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *stay); err != nil {
		if ctx.Err() != nil {
			fmt.Fprintln(os.Stderr, "\ninterrupted; everything is stopped")
			return 130
		}
		fmt.Fprintln(os.Stderr, "\nFAILED:", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, stay bool) (err error) {
	r := newReport(os.Stdout)
	d, err := newDemo(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()

	steps := []step{
		{"Start a control plane: etcd and kube-apiserver", d.startControlPlane},
		{"Install the CRDs and the operator's own permissions", d.install},
		{"Start the operator", d.startOperator},
		{"Apply Categories and Items", d.applyInventory},
		{"The embedded controllers have done their work", d.checkInventory},
		{"Load a WASM plugin from a ConfigMap", d.loadPlugin},
		{"The plugin reconciles Categories as its ServiceAccount", d.checkPlugin},
	}
	if !stay {
		steps = append(steps,
			step{"Swap the plugin for a new version, without a restart", d.swapPlugin},
			step{"Break the plugin: the previous version keeps serving", d.breakPlugin},
			step{"Move the plugin to a registry, by its digest", d.moveToRegistry},
			step{"Sign the plugin with cosign, and require the signature", d.signPlugin},
			step{"Push another module to its tag: the signed one keeps serving", d.tamper},
			step{"Remove a permission: the API server denies the plugin", d.denyPlugin},
			step{"Delete the plugin: the operator goes on without it", d.deletePlugin},
			step{"Load a plugin that validates and defaults Items", d.loadValidator},
			step{"Requests to the API server wait for it", d.checkValidator},
		)
	}
	for i, s := range steps {
		r.heading(i+1, len(steps), s.title)
		if err := s.do(ctx); err != nil {
			d.explain()
			return fmt.Errorf("%s: %w", s.title, err)
		}
	}
	if stay {
		r.stay(d.kubeconfig, d.kubectl, d.pluginDir, d.managerLog)
		<-ctx.Done()
		fmt.Println("\nstopping …")
		return nil
	}
	r.done(len(steps))
	return nil
}

// step is one part of the demo. It returns an error if a check fails.
type step struct {
	title string
	do    func(context.Context) error
}
