// SPDX-License-Identifier: Apache-2.0

// Command manager is the k1s operator.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/wasm/compiler"
)

// version is set when the binary is built.
var version = "dev"

func main() {
	compiler.Dispatch()
	if err := run(os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	options := app.DefaultOptions()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program to compile modules with: %w", err)
	}
	options.Compiler = self
	logging := zap.Options{}
	showVersion := false
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	flags.BoolVar(&showVersion, "version", false, "print the version and exit")
	options.AddFlags(flags)
	logging.BindFlags(flags)
	ctrl.RegisterFlags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: see --help", flags.Arg(0))
	}
	if showVersion {
		fmt.Println("k1s manager", version)
		return nil
	}
	log := zap.New(zap.UseFlagOptions(&logging))
	ctrl.SetLogger(log)
	klog.SetLogger(log) // client-go's lines would otherwise have another format
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w (set --kubeconfig or KUBECONFIG, or run in a Pod)", err)
	}
	log.Info("Starting k1s", "version", version)
	app.FitContainer(&options, log)
	return app.Run(ctrl.SetupSignalHandler(), config, options, log)
}
