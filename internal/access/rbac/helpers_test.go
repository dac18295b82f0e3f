// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/k1s-io/k1s/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const account = "plugin-account"

var items = schema.GroupVersionKind{Group: "inventory.example.com", Version: "v1alpha1", Kind: "Item"}

// testCluster is a plugin's ServiceAccount without permissions, and an Authorizer.
type testCluster struct {
	*testenv.Account

	namespace  string
	requests   *testenv.Requests
	clock      *clocktesting.FakeClock
	authorizer *Authorizer
}

func newTestCluster(t *testing.T) *testCluster {
	t.Helper()
	env := testenv.Shared(t)
	w := &testCluster{requests: &testenv.Requests{}, clock: clocktesting.NewFakeClock(time.Now())}
	w.Account, w.namespace = env.Account(t, account)
	config := rest.CopyConfig(env.Config)
	config.Wrap(w.requests.Wrap)
	reviews, err := authorizationv1client.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	w.authorizer = NewAuthorizer(reviews, w.clock)
	return w
}
