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
	"strconv"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/k1s-io/k1s/internal/testenv"
)

const (
	// operatorUser is the user of the operator at the API server. It has only the operator's roles.
	operatorUser      = "k1s-operator"
	operatorNamespace = "k1s-system"
	// startTimeout is the timeout for the start of a process on a busy machine.
	startTimeout = 2 * time.Minute
)

// server is an API server and its etcd.
type server struct {
	env    *envtest.Environment
	client client.Client
	// replacement is the API server that replaced the first one.
	replacement *exec.Cmd
}

func startServer() (*server, error) {
	s := &server{env: &envtest.Environment{
		CRDDirectoryPaths:        []string{filepath.Join(testenv.Root(), "config", "crd", "bases")},
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  startTimeout,
	}}
	config, err := s.env.Start()
	if err != nil {
		return nil, fmt.Errorf("start the API server: %w", err)
	}
	config.QPS = -1
	config.Timeout = 5 * time.Second // for a request to an API server that has just been killed
	s.client, err = client.New(config, client.Options{Scheme: testenv.NewScheme()})
	if err != nil {
		return nil, errors.Join(err, s.env.Stop())
	}
	return s, nil
}

// operator creates the operator's user with the permissions in the manifests of the project, and its kubeconfig.
func (s *server) operator(ctx context.Context, dir string) (path string, err error) {
	meta := metav1.ObjectMeta{Name: operatorNamespace}
	if err := s.client.Create(ctx, &corev1.Namespace{ObjectMeta: meta}); err != nil {
		return "", err
	}
	for _, file := range []string{"role.yaml", "watched_types.yaml"} {
		text, err := os.ReadFile(filepath.Join(testenv.Root(), "config", "rbac", file))
		if err != nil {
			return "", err
		}
		for doc := range strings.SplitSeq(string(text), "\n---\n") {
			if err := s.grant(ctx, doc); err != nil {
				return "", fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	user, err := s.env.AddUser(envtest.User{Name: operatorUser}, nil)
	if err != nil {
		return "", err
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "operator.kubeconfig")
	return path, os.WriteFile(path, kubeconfig, 0o600)
}

// grant creates a role of a manifest and binds it to the operator. No controller aggregates ClusterRoles here.
func (s *server) grant(ctx context.Context, doc string) error {
	var role unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(doc), &role.Object); err != nil || role.GetKind() == "" {
		return err
	}
	to := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: role.GetKind(), Name: role.GetName()}
	who := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: operatorUser}}
	meta := metav1.ObjectMeta{Name: role.GetName()}
	var binding client.Object = &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: to, Subjects: who}
	if role.GetKind() == "Role" {
		role.SetNamespace(operatorNamespace)
		meta.Namespace = operatorNamespace
		binding = &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: to, Subjects: who}
	}
	return errors.Join(s.client.Create(ctx, &role), s.client.Create(ctx, binding))
}

// restart kills the API server and starts it again, with the same arguments, port and etcd.
func (s *server) restart(ctx context.Context) error {
	pid, err := s.pid()
	if err != nil {
		return err
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return err
	}
	args := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return err
	}
	if s.replacement != nil {
		_ = s.replacement.Wait() // it was killed
	}
	// The first API server is a child of envtest, which waits for it. Its port is free once the process is gone.
	err = testenv.Poll(ctx, startTimeout, func(context.Context) error {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			return errors.New("the API server that was killed is still there")
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.replacement = exec.Command(args[0], args[1:]...)
	s.replacement.SysProcAttr = ownGroup()
	if err := s.replacement.Start(); err != nil {
		return err
	}
	return testenv.Poll(ctx, startTimeout, func(ctx context.Context) error {
		return s.client.Get(ctx, client.ObjectKey{Name: operatorNamespace}, &corev1.Namespace{})
	})
}

// pid returns the process ID of the API server, which is a child of this process.
func (s *server) pid() (int, error) {
	if s.replacement != nil {
		return s.replacement.Process.Pid, nil
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, file := range stats {
		// pid (comm) state ppid …; proc(5)
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // the process has ended in the meantime
		}
		fields := bytes.Fields(stat)
		if len(fields) > 3 && string(fields[1]) == "(kube-apiserver)" && string(fields[3]) == strconv.Itoa(os.Getpid()) {
			return strconv.Atoi(string(fields[0]))
		}
	}
	return 0, errors.New("there is no API server among this process's children")
}

func (s *server) stop() error {
	var err error
	if s.replacement != nil && s.replacement.Process != nil {
		err = s.replacement.Process.Kill()
		_ = s.replacement.Wait() // it was killed
	}
	return errors.Join(err, s.env.Stop())
}
