// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/yaml"

	"github.com/k1s-io/k1s/cmd/manager/app"
	"github.com/k1s-io/k1s/internal/testenv"
)

// operatorUser is a user that has only the permissions of the operator.
const operatorUser = "k1s-operator"

// operator is an operator that runs in this process.
type operator struct {
	env    *testenv.Env
	config *rest.Config
	dir    string // the plugin directory
	cache  string
	audit  string // the path of the audit log, if there is one
	ns     string // the operator's own namespace
	log    logr.Logger
	// configure changes the options of the next start.
	configure []func(*app.Options)
	stop      context.CancelFunc
	done      chan error
}

// startOperator starts an operator, which is stopped at the end of the test. Only one test at a time can have an
// operator, because all of them use the same API server.
func startOperator(t *testing.T, configure ...func(*app.Options)) *operator {
	t.Helper()
	env := testenv.Shared(t)
	grantOperator(t, env)
	config := rest.CopyConfig(env.User(t, operatorUser))
	config.QPS = -1 // as ctrl.GetConfig has it
	o := &operator{env: env, config: config, configure: configure, log: testLog(), dir: filepath.Join(t.TempDir(), "plugins"), cache: t.TempDir(), ns: env.Namespace(t)}
	grantIn(t, env, o.ns)
	if err := os.Mkdir(o.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	o.start(t)
	t.Cleanup(func() { o.end(t) })
	return o
}

// pollsOften shortens the polling interval, for tests in which a plugin waits for something that no event reports.
func pollsOften(o *app.Options) { o.Timing.PollAfter = time.Second }

func (o *operator) start(t *testing.T) {
	t.Helper()
	options := operatorOptions(o.ns, o.dir, o.cache)
	options.AuditLog = o.audit
	for _, configure := range o.configure {
		configure(&options)
	}
	ctx, stop := context.WithCancel(context.Background())
	o.stop, o.done = stop, make(chan error, 1)
	go func() { o.done <- app.Run(ctx, o.config, options, o.log) }()
}

// end stops the operator and waits until it has stopped.
func (o *operator) end(t *testing.T) {
	t.Helper()
	if o.stop == nil {
		return
	}
	o.stop()
	o.stop = nil
	if err := <-o.done; err != nil {
		t.Errorf("the operator ended with: %v", err)
	}
}

// testLog writes the operator's log to standard error when K1S_TEST_LOG is set.
func testLog() logr.Logger {
	if os.Getenv("K1S_TEST_LOG") == "" {
		return logr.Discard()
	}
	return zap.New(zap.UseDevMode(true))
}

var granted sync.Once

// grantOperator gives the operator's user the permissions in the manifests of the project.
func grantOperator(t *testing.T, env *testenv.Env) {
	t.Helper()
	granted.Do(func() {
		for _, file := range []string{"role.yaml", "watched_types.yaml"} {
			for _, role := range rolesOf[rbacv1.ClusterRole](t, file, "ClusterRole") {
				if err := env.Client.Create(t.Context(), &role); err != nil {
					t.Fatalf("create ClusterRole %s: %v", role.Name, err)
				}
			}
		}
		for _, role := range []string{"k1s-manager", "k1s-watch-inventory"} {
			binding := &rbacv1.ClusterRoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: role},
				RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
				Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: operatorUser}},
			}
			if err := env.Client.Create(t.Context(), binding); err != nil {
				t.Fatalf("bind %s: %v", role, err)
			}
		}
	})
}

// grantIn gives the operator's user its permissions in its own namespace.
func grantIn(t *testing.T, env *testenv.Env, ns string) {
	t.Helper()
	for _, role := range rolesOf[rbacv1.Role](t, "role.yaml", "Role") {
		role.Namespace = ns
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: role.Name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: operatorUser}},
		}
		for _, o := range []client.Object{&role, binding} {
			if err := env.Client.Create(t.Context(), o); err != nil {
				t.Fatalf("create %T %s: %v", o, role.Name, err)
			}
		}
	}
}

// rolesOf reads the roles of the given kind from a manifest in config/rbac.
func rolesOf[T any](t *testing.T, file, kind string) []T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testenv.Root(), "config", "rbac", file))
	if err != nil {
		t.Fatal(err)
	}
	var roles []T
	for _, doc := range splitYAML(string(text)) {
		var head metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if head.Kind != kind {
			continue
		}
		var role T
		if err := yaml.Unmarshal([]byte(doc), &role); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		roles = append(roles, role)
	}
	return roles
}
