// SPDX-License-Identifier: Apache-2.0

// Command soak runs the operator for a long time under disturbances: dozens of plugins whose modules are replaced every
// second, objects that are created, changed and deleted all the time, an operator that is killed every minute, and an
// API server that is killed twice. In the end, the last version of its plugin must have reconciled every object, and
// memory and goroutines must not have grown. It needs KUBEBUILDER_ASSETS, bin/manager and plugins/*.wasm: use `make
// soak`. It needs Linux, because it finds processes in /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// options are the durations and the numbers of the flags.
type options struct {
	duration, swapEvery, killEvery, changeEvery, settle time.Duration
	plugins, goPlugins, objects, serverKills            int
}

func main() { os.Exit(soakMain()) }

// soakMain returns the exit code after all deferred calls have run.
func soakMain() int {
	var o options
	flag.DurationVar(&o.duration, "duration", 10*time.Minute, "how long to disturb the operator")
	flag.DurationVar(&o.swapEvery, "swap-every", time.Second, "how often a plugin gets another module")
	flag.DurationVar(&o.killEvery, "kill-every", time.Minute, "how often the operator is killed; a third of --duration if that is less")
	flag.DurationVar(&o.changeEvery, "change-every", 50*time.Millisecond, "how often an object is created, changed or deleted")
	flag.DurationVar(&o.settle, "settle", 3*time.Minute, "how long everything may take to settle afterwards")
	flag.IntVar(&o.plugins, "plugins", 50, "how many plugins there are")
	flag.IntVar(&o.goPlugins, "go-plugins", 2, "how many of them are the sample category-hierarchy")
	flag.IntVar(&o.objects, "objects", 10, "how many objects each plugin has, about")
	flag.IntVar(&o.serverKills, "server-kills", 2, "how often the API server is killed and started again")
	flag.Parse()
	o.killEvery = min(o.killEvery, o.duration/3)

	// client-go logs through controller-runtime's logger, which prints a warning if none is set.
	ctrl.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "\nFAILED:", err)
		return 1
	}
	fmt.Println("\npassed")
	return 0
}

func run(ctx context.Context, o options) (err error) {
	s, err := newSoak(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.prepare(ctx); err != nil {
		s.meter.fail("%v", err)
		return err
	}
	s.say("%d plugins serve; disturbing them for %s", o.plugins, o.duration)
	s.disturb(ctx)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	s.say("settling")
	if err := s.settle(ctx); err != nil {
		s.meter.fail("%v", err)
	}
	s.summary()
	return s.verdict()
}
