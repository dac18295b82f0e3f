// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// operatorUser is the user with which the operator authenticates. It has only the operator's roles.
const operatorUser = "k1s-operator"

// operatorNamespace is the namespace of the operator's Lease.
const operatorNamespace = "k1s-system"

// startTimeout is the maximum time for the start and stop of the API server on a busy machine.
const startTimeout = 2 * time.Minute

func (d *demo) startControlPlane(context.Context) error {
	start := time.Now()
	d.control = &envtest.Environment{
		CRDDirectoryPaths:        []string{}, // installed with kubectl, as a user would
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  startTimeout,
	}
	if _, err := d.control.Start(); err != nil {
		return err
	}
	if err := os.WriteFile(d.kubeconfig, d.control.KubeConfig, 0o600); err != nil {
		return err
	}
	d.report.passed("API server ready after %s", time.Since(start).Round(100*time.Millisecond))
	return nil
}

// install applies what the chart would install, and binds the operator's permissions to a separate user, so that the
// demo runs with exactly these permissions. No controllers run here, so nothing aggregates ClusterRoles.
func (d *demo) install(ctx context.Context) error {
	for _, args := range [][]string{
		{"create", "namespace", operatorNamespace},
		{"apply", "--server-side", "-f", filepath.Join(d.root, "config", "crd", "bases")},
		{"apply", "--server-side", "-f", filepath.Join(d.root, "config", "rbac", "role.yaml")},
		{"apply", "--server-side", "-f", filepath.Join(d.root, "config", "rbac", "watched_types.yaml")},
		{"create", "clusterrolebinding", "k1s-manager", "--clusterrole=k1s-manager", "--user=" + operatorUser},
		{"create", "rolebinding", "k1s-manager", "--namespace=" + operatorNamespace, "--role=k1s-manager", "--user=" + operatorUser},
		{"create", "clusterrolebinding", "k1s-watch-inventory", "--clusterrole=k1s-watch-inventory", "--user=" + operatorUser},
		{"wait", "--for=condition=Established", "--timeout=60s", "crd/items.inventory.example.com", "crd/categories.inventory.example.com", "crd/wasmplugins.plugins.k1s.io"},
	} {
		if _, err := d.kube(ctx, "", args...); err != nil {
			return err
		}
	}
	return d.show(ctx, "get", "crds", "-o", "custom-columns=NAME:.metadata.name,SHORT NAMES:.spec.names.shortNames")
}

// operator is the running bin/manager process.
type operator struct {
	cmd  *exec.Cmd
	log  *os.File
	done chan error
}

func (d *demo) startOperator(ctx context.Context) error {
	user, err := d.control.AddUser(envtest.User{Name: operatorUser}, nil)
	if err != nil {
		return fmt.Errorf("make the operator's user: %w", err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		return fmt.Errorf("make the operator's kubeconfig: %w", err)
	}
	path := filepath.Join(d.dir, "operator.kubeconfig")
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		return err
	}
	log, err := os.Create(d.managerLog)
	if err != nil {
		return err
	}
	webhooks, err := freeAddress()
	if err != nil {
		return errors.Join(err, log.Close())
	}
	_, port, err := net.SplitHostPort(webhooks)
	if err != nil {
		return errors.Join(err, log.Close())
	}
	start := time.Now()
	cmd := exec.Command(filepath.Join(d.root, "bin", "manager"),
		"--kubeconfig="+path, "--namespace="+operatorNamespace, "--plugin-dir="+d.pluginDir,
		"--cache-dir="+filepath.Join(d.dir, "cache"),
		"--metrics-bind-address=0", "--health-probe-bind-address=0", "--zap-devel",
		// The API server is a process of the same machine. The URL has a host name, because the certificate is for
		// names.
		"--webhook-bind-address="+webhooks, "--webhook-url=https://localhost:"+port,
		// Registries on this machine can be used.
		"--allowed-registry-cidrs=127.0.0.0/8,::1")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = ownGroup() // a Ctrl-C must not stop it before us
	if err := cmd.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	d.operator = &operator{cmd: cmd, log: log, done: make(chan error, 1)}
	go func() { d.operator.done <- cmd.Wait() }()
	err = wait(ctx, func() error {
		select {
		case err := <-d.operator.done:
			d.operator.done <- err
			return fmt.Errorf("it ended: %w", err)
		default:
		}
		text, err := os.ReadFile(d.managerLog)
		if err == nil && !containsAll(string(text), "Starting workers") {
			err = errors.New("it has not started its controllers")
		}
		return err
	})
	if err != nil {
		return err
	}
	d.report.passed("bin/manager runs as %q, with the permissions of its ClusterRole only (ready after %s)",
		operatorUser, time.Since(start).Round(100*time.Millisecond))
	return nil
}

// freeAddress returns an address on which nothing listens at the moment.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// stop stops the operator gracefully, or kills it if it does not end.
func (o *operator) stop() error {
	defer func() { _ = o.log.Close() }() // a temporary file
	if err := o.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the operator: %w", err)
	}
	select {
	case err := <-o.done:
		if err != nil {
			return fmt.Errorf("the operator ended badly: %w", err)
		}
		return nil
	case <-time.After(startTimeout):
		return errors.Join(errors.New("the operator did not stop"), o.cmd.Process.Kill())
	}
}
