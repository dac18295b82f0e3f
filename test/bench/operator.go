// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/test/bench/measure"
)

// runApp runs the operator as in a Pod, without the metrics, probe and webhook servers.
func runApp(ctx context.Context, config *rest.Config, dir string, log logr.Logger) error {
	o := app.DefaultOptions()
	o.MetricsAddress, o.ProbeAddress, o.WebhookAddress = "0", "0", "0"
	o.Namespace = "default"
	o.PluginDir, o.CacheDir = filepath.Join(dir, "plugins"), filepath.Join(dir, "cache")
	o.Registerer = prometheus.NewRegistry()
	o.SkipNameValidation = true
	o.Limits.MaxNamespacePlugins = 0 // a row has 1,000 in one
	o.Limits.NamespaceMemory = resource.QuantityValue{}
	config = rest.CopyConfig(config)
	config.QPS = -1
	return app.Run(ctx, config, o, log)
}

// startOperator runs the operator with a logger in this process, until stop is called.
func (s *session) startOperator(log logr.Logger) (stop func()) {
	c, dir := s.cluster(), s.dir("operator")
	s.log("starting the operator")
	return inBackground(func(ctx context.Context) error { return runApp(ctx, c.Config, dir, log) })
}

// operatorTask is the first request to an operator in its own process: its cluster and its directory.
type operatorTask struct {
	Kubeconfig []byte
	Dir        string
}

// usageRequest is each other request. With Settle, the process first returns its free memory to the operating system.
type usageRequest struct{ Settle bool }

// usage is the reply to it. Memory, in bytes, is measured only with Settle, because that takes CPU time.
type usage struct {
	CPU    time.Duration
	Memory int64
}

// runOperator is the main function of this process. The operator stops at the end of standard input.
func runOperator(ctx context.Context, in *json.Decoder, out *json.Encoder) {
	var task operatorTask
	check(in.Decode(&task))
	check(out.Encode(usage{}))
	ctrl.SetLogger(logr.Discard())
	ctx, stop := context.WithCancel(ctx)
	go func() {
		defer stop()
		for {
			var request usageRequest
			if in.Decode(&request) != nil {
				return
			}
			reply := usage{CPU: measure.CPUTime()}
			var err error
			if request.Settle {
				settle()
				reply.Memory, err = memory()
			}
			if err = errors.Join(err, out.Encode(reply)); err != nil {
				fmt.Fprintln(os.Stderr, "bench: measure the operator:", err)
				return
			}
		}
	}()
	check(runApp(ctx, must(clientcmd.RESTConfigFromKubeConfig(task.Kubeconfig)), task.Dir, logr.Discard()))
}

// startOperatorProcess runs the operator in its own process.
func (s *session) startOperatorProcess() *child {
	p := startChild(s.ctx, "operator")
	p.ask(operatorTask{Kubeconfig: s.cluster().Kubeconfig(), Dir: s.dir("operator-process")}, &usage{})
	return p
}
