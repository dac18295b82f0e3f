// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// found is the object that the host of the tests returns for a get.
const found = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"found"}}`

// host is a cluster with one object. A request that no fixture sends panics, and thereby stops the guest.
type host struct{ plugin.Host }

func (host) Get(ctx context.Context, req abi.ObjectKey) ([]byte, error) {
	switch req.Name {
	case "found":
		return []byte(found), nil
	case "block":
		<-ctx.Done()
		return nil, ctx.Err()
	default:
		return nil, apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, req.Name, nil)
	}
}

// reader is the host for admission requests.
type reader struct{ host }

func (reader) Create(context.Context, abi.WriteRequest) ([]byte, error) {
	return nil, apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", nil)
}

func (host) Event(context.Context, abi.EventRequest) error { return nil }
