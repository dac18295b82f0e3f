// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// timeout is the maximum time of every wait. It is far longer than anything takes.
const timeout = 90 * time.Second

// demo is the state that the steps share.
type demo struct {
	report *report
	root   string // the root of the repository
	dir    string // the folder of everything that the demo writes; removed at the end

	kubectl    string
	kubeconfig string
	pluginDir  string
	managerLog string

	control  *envtest.Environment
	operator *operator
	// registry is nil until a step starts it.
	registry *exec.Cmd
	// repository is where the plugin is in the registry, and digest that of the module that it refers to there.
	repository, digest string
}

func newDemo(r *report) (*demo, error) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		return nil, errors.New("KUBEBUILDER_ASSETS is not set: use `make demo` or `make run`")
	}
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for _, built := range []string{"bin/manager", moduleFile(pluginName), moduleFile(validatorName), "config/crd/bases"} {
		if _, err := os.Stat(built); err != nil {
			return nil, fmt.Errorf("%w: use `make demo` or `make run` in the repository's root folder", err)
		}
	}
	dir, err := os.MkdirTemp("", "k1s-demo-")
	if err != nil {
		return nil, err
	}
	d := &demo{
		report: r, root: root, dir: dir,
		kubectl:    filepath.Join(assets, "kubectl"),
		kubeconfig: filepath.Join(dir, "kubeconfig"),
		pluginDir:  filepath.Join(dir, "plugins"),
		managerLog: filepath.Join(dir, "manager.log"),
	}
	return d, os.Mkdir(d.pluginDir, 0o755)
}

// close stops everything and removes all files.
func (d *demo) close() error {
	var errs []error
	if d.operator != nil {
		errs = append(errs, d.operator.stop())
	}
	if d.registry != nil {
		errs = append(errs, d.registry.Process.Kill())
		_ = d.registry.Wait() // it was killed
	}
	if d.control != nil {
		errs = append(errs, d.control.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(d.dir))...)
}

// explain prints the end of the operator's log after a failure.
func (d *demo) explain() {
	text, err := os.ReadFile(d.managerLog)
	if err != nil {
		return
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	fmt.Fprintln(os.Stderr, "\nThe end of the operator's log:\n"+strings.Join(lines[max(0, len(lines)-40):], "\n"))
}

// kube runs kubectl and returns its output.
func (d *demo) kube(ctx context.Context, stdin string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, d.kubectl, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+d.kubeconfig)
	cmd.Stdin = strings.NewReader(stdin)
	// Only the demo handles Ctrl-C: kubectl ends when the context does.
	cmd.SysProcAttr = ownGroup()
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errOut.String()))
	}
	return out.String(), nil
}

// show runs kubectl and prints the command and its output.
func (d *demo) show(ctx context.Context, args ...string) error {
	out, err := d.kube(ctx, "", args...)
	if err != nil {
		return err
	}
	d.report.command("kubectl "+strings.Join(args, " "), out)
	return nil
}

// apply applies a manifest in a namespace.
func (d *demo) apply(ctx context.Context, manifest string) error {
	_, err := d.kube(ctx, manifest, "apply", "--server-side", "-f", "-")
	return err
}

// expect waits until the output of kubectl equals want, and reports it.
func (d *demo) expect(ctx context.Context, what, want string, args ...string) error {
	err := wait(ctx, func() error {
		got, err := d.kube(ctx, "", args...)
		if err == nil && strings.TrimSpace(got) != want {
			err = fmt.Errorf("is %q, want %q", strings.TrimSpace(got), want)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	d.report.passed("%s: %s", what, want)
	return nil
}

// expectPart waits until the output of kubectl contains part, and returns the output.
func (d *demo) expectPart(ctx context.Context, part string, args ...string) (string, error) {
	var got string
	err := wait(ctx, func() (err error) {
		got, err = d.kube(ctx, "", args...)
		if err == nil && !strings.Contains(got, part) {
			err = fmt.Errorf("%q has no %q", strings.TrimSpace(got), part)
		}
		return err
	})
	return strings.TrimSpace(got), err
}

// wait polls until check returns nil or patience has elapsed.
func wait(ctx context.Context, check func() error) error {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return fmt.Errorf("not within %s: %w", timeout, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
