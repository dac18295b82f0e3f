// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/testenv"
)

// processEnv is an environment variable that makes the test binary run as an operator. Its value is a processArguments
// in JSON.
const processEnv = "K1S_TEST_OPERATOR_PROCESS"

// processArguments are the arguments of an operator that runs in its own process.
type processArguments struct {
	Kubeconfig, Namespace, PluginDir, CacheDir string
	// Webhooks is the address on which it serves webhooks, and Pulse the address on which it serves its longest pause.
	// It does not serve what has an empty address.
	Webhooks, Pulse string
}

// operatorMain runs an operator until it is killed, and returns the exit code.
func operatorMain(arguments string) int {
	run := func() error {
		var a processArguments
		if err := json.Unmarshal([]byte(arguments), &a); err != nil {
			return err
		}
		config, err := clientcmd.BuildConfigFromFlags("", a.Kubeconfig)
		if err != nil {
			return err
		}
		config.QPS = -1 // as ctrl.GetConfig has it
		options := operatorOptions(a.Namespace, a.PluginDir, a.CacheDir)
		if a.Webhooks != "" {
			servesWebhooks(a.Webhooks)(&options)
		}
		app.FitContainer(&options, testLog())
		if a.Pulse != "" {
			go servePulse(a.Pulse)
		}
		return app.Run(ctrl.SetupSignalHandler(), config, options, testLog())
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		return 1
	}
	return 0
}

// operatorOptions returns the options that the operators of all tests share.
func operatorOptions(namespace, plugins, cache string) app.Options {
	options := app.DefaultOptions()
	options.MetricsAddress, options.ProbeAddress, options.WebhookAddress = "0", "0", "0"
	options.Namespace = namespace
	options.PluginDir, options.CacheDir = plugins, cache
	options.Registerer = prometheus.NewRegistry()
	options.SkipNameValidation = true
	options.Compiler = os.Args[0]
	return options
}

// process is an operator that runs in its own process and can be started several times.
type process struct {
	env       *testenv.Env
	arguments string
	command   *exec.Cmd
	// before is a prefix of the command.
	before []string
}

// startProcess starts an operator in its own process, which is killed at the end of the test at the latest.
func startProcess(t *testing.T) *process {
	t.Helper()
	return startProcessWith(t, func(*processArguments) {}, nil)
}

// startProcessWith is like startProcess, with changed arguments and a prefix of the command.
func startProcessWith(t *testing.T, change func(*processArguments), before []string) *process {
	t.Helper()
	env := testenv.Shared(t)
	dir, ns := t.TempDir(), env.Namespace(t)
	env.GrantOperator(t, operatorUser, ns)
	a := processArguments{
		Kubeconfig: filepath.Join(dir, "kubeconfig"), Namespace: ns,
		PluginDir: filepath.Join(dir, "plugins"), CacheDir: filepath.Join(dir, "cache"),
	}
	if err := writeKubeconfig(env.User(t, operatorUser), a.Kubeconfig); err != nil {
		t.Fatal(err)
	}
	change(&a)
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{env: env, arguments: string(text), before: before}
	p.start(t)
	t.Cleanup(func() {
		if p.command != nil {
			p.kill(t)
		}
	})
	return p
}

func (p *process) start(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	line := append(slices.Clone(p.before), self)
	p.command = exec.Command(line[0], line[1:]...)
	p.command.Env = append(os.Environ(), processEnv+"="+p.arguments)
	p.command.Stdout, p.command.Stderr = os.Stderr, os.Stderr
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
}

// kill kills the process with SIGKILL, as in a crash.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.command.Process.Kill(); err != nil {
		t.Fatalf("kill the operator: %v", err)
	}
	if err := p.command.Wait(); p.command.ProcessState.Exited() {
		t.Errorf("the operator had ended by itself: %v", err)
	}
	p.command = nil
}

func writeKubeconfig(config *rest.Config, path string) error {
	const name = "test"
	file := clientcmdapi.NewConfig()
	file.Clusters[name] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	file.AuthInfos[name] = &clientcmdapi.AuthInfo{ClientCertificateData: config.CertData, ClientKeyData: config.KeyData}
	file.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	file.CurrentContext = name
	return clientcmd.WriteToFile(*file, path)
}
