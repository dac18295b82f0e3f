// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/k1s-io/k1s/cmd/manager/app"
)

// operatorOptions returns the options of an operator in a Pod, without the metrics, probe and webhook servers.
func operatorOptions(dir, namespace string) app.Options {
	o := app.DefaultOptions()
	o.MetricsAddress, o.ProbeAddress, o.WebhookAddress = "0", "0", "0"
	o.Namespace = namespace
	o.PluginDir, o.CacheDir = filepath.Join(dir, "plugins"), filepath.Join(dir, "cache")
	o.Registerer = prometheus.NewRegistry()
	o.SkipNameValidation = true
	o.Limits.MaxNamespacePlugins = 0 // a row has 1,000 in one
	o.Limits.NamespaceMemory = resource.QuantityValue{}
	return o
}

// startOperator runs the operator with a logger in this process, until stop is called.
func (s *session) startOperator(c *cluster, log logr.Logger) (stop func() error, err error) {
	dir, err := s.dir("operator")
	if err != nil {
		return nil, err
	}
	s.log("starting the operator")
	config := rest.CopyConfig(c.Config)
	config.QPS = -1
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- app.Run(ctx, config, operatorOptions(dir, "default"), log) }()
	return func() error {
		cancel()
		return <-done
	}, nil
}

// operatorTask is the task of an operator in its own process: its cluster and its directory.
type operatorTask struct {
	Kubeconfig []byte
	Dir        string
}

// runOperator is the main function of this process. On SIGUSR1 it returns free memory to the operating system and then
// prints a line to standard output.
func runOperator(ctx context.Context, in *json.Decoder) error {
	var task operatorTask
	if err := in.Decode(&task); err != nil {
		return err
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(task.Kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	ctrl.SetLogger(logr.Discard())
	settling := make(chan os.Signal, 1)
	signal.Notify(settling, syscall.SIGUSR1)
	go func() {
		for range settling {
			settle()
			fmt.Println("settled")
		}
	}()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	return app.Run(ctx, config, operatorOptions(task.Dir, "default"), logr.Discard())
}

// operatorProcess is an operator in its own process.
type operatorProcess struct {
	cmd *exec.Cmd
	// lines are the lines of its standard output.
	lines chan string
}

func (s *session) startOperatorProcess(ctx context.Context, c *cluster) (*operatorProcess, error) {
	dir, err := s.dir("operator-process")
	if err != nil {
		return nil, err
	}
	cmd, err := child(ctx, "operator")
	if err != nil {
		return nil, err
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &operatorProcess{cmd: cmd, lines: make(chan string)}
	go func() {
		defer close(p.lines)
		for {
			var line string
			if _, err := fmt.Fscanln(stdout, &line); err != nil {
				return
			}
			p.lines <- line
		}
	}()
	task := operatorTask{Kubeconfig: c.Kubeconfig(), Dir: dir}
	return p, errors.Join(json.NewEncoder(stdin).Encode(task), stdin.Close())
}

// memory returns the memory of the process in bytes, after it has returned its free memory to the operating system.
func (p *operatorProcess) memory(ctx context.Context) (int64, error) {
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		return 0, err
	}
	select {
	case _, ok := <-p.lines:
		if !ok {
			return 0, errors.New("the operator has ended")
		}
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return memory(p.cmd.Process.Pid)
}

// stop stops the process gracefully.
func (p *operatorProcess) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	for range p.lines { // nothing else reads them
	}
	return p.cmd.Wait()
}
