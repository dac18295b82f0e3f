// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/go-logr/logr"
	k8sruntime "k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	inventoryv1alpha1 "github.com/k1s-io/k1s/api/inventory/v1alpha1"
	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// startTimeout is the maximum time for the start of the API server. It usually takes 3 s, and more on a machine that is
// busy compiling.
const startTimeout = 2 * time.Minute

// Env is a running API server with the project's CRDs installed.
type Env struct {
	// Config is the connection of a cluster administrator (system:masters, so RBAC does not apply to it).
	Config *rest.Config
	// Client is an uncached client with that connection.
	Client client.Client
	// Scheme has the built-in kinds, CustomResourceDefinitions and the project's own kinds.
	Scheme *k8sruntime.Scheme

	server *envtest.Environment
}

// shared is the API server that Main started. A test binary has only one.
var shared *Env

// Main starts an API server, runs the tests of a package and exits the process.
func Main(m *testing.M) {
	// client-go logs through controller-runtime's logger, which complains if no logger is set.
	ctrl.SetLogger(logr.Discard())
	env, err := Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		os.Exit(1)
	}
	shared = env
	code := m.Run()
	if err := env.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "testenv: stop the API server:", err)
	}
	os.Exit(code)
}

// Shared returns the API server that Main started.
func Shared(t *testing.T) *Env {
	t.Helper()
	if shared == nil {
		t.Fatal("no API server: the package needs func TestMain(m *testing.M) { testenv.Main(m) }")
	}
	return shared
}

// Start starts an API server with the project's CRDs. It needs the variable KUBEBUILDER_ASSETS.
func Start() (*Env, error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, errors.New("KUBEBUILDER_ASSETS is not set: run `make test`, or export KUBEBUILDER_ASSETS=$(make -s controlplane)")
	}
	server := &envtest.Environment{
		CRDDirectoryPaths:        []string{filepath.Join(Root(), "config", "crd", "bases")},
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  startTimeout,
	}
	// Without this option, the control plane would run the repair loops for its service CIDR, which only cost time.
	server.ControlPlane.GetAPIServer().Configure().Set("service-cluster-ip-range", "10.0.0.0/24")
	config, err := server.Start()
	if err != nil {
		return nil, fmt.Errorf("start the API server: %w", err)
	}
	config.QPS = -1 // tests poll, and must not throttle each other
	scheme := NewScheme()
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a client: %w", err), server.Stop())
	}
	return &Env{Config: config, Client: c, Scheme: scheme, server: server}, nil
}

// Stop stops the API server.
func (e *Env) Stop() error { return e.server.Stop() }

// Kubeconfig returns the contents of a kubeconfig file for an administrator.
func (e *Env) Kubeconfig() []byte { return e.server.KubeConfig }

// NewScheme returns a scheme with all kinds that the tests use.
func NewScheme() *k8sruntime.Scheme {
	scheme := k8sruntime.NewScheme()
	for _, add := range []func(*k8sruntime.Scheme) error{
		clientgoscheme.AddToScheme,
		apiextensionsv1.AddToScheme,
		inventoryv1alpha1.AddToScheme,
		pluginsv1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err) // only a programming error can cause this
		}
	}
	return scheme
}

// Root returns the root folder of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// User returns the connection of a user that has only the permissions that a test binds to it.
func (e *Env) User(t *testing.T, name string) *rest.Config {
	t.Helper()
	user, err := e.server.AddUser(envtest.User{Name: name}, nil)
	if err != nil {
		t.Fatalf("make user %q: %v", name, err)
	}
	return user.Config()
}
