// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/k1s-io/k1s/test/bench/work"
)

// The messages of the services are a well-known type of protobuf that holds bytes, so that no code has to be generated.
const (
	reconcileMethod = "/bench.Reconciler/Reconcile"
	getMethod       = "/bench.Cluster/Get"
)

// bytesServer answers requests that are bytes with bytes.
type bytesServer interface {
	serve(ctx context.Context, payload []byte) ([]byte, error)
}

func service(name, method string) *grpc.ServiceDesc {
	full := "/" + name + "/" + method
	handler := func(server any, ctx context.Context, decode func(any) error, between grpc.UnaryServerInterceptor) (any, error) {
		in := new(wrapperspb.BytesValue)
		if err := decode(in); err != nil {
			return nil, err
		}
		serve := func(ctx context.Context, in any) (any, error) {
			s, _ := server.(bytesServer)
			request, _ := in.(*wrapperspb.BytesValue)
			out, err := s.serve(ctx, request.GetValue())
			return wrapperspb.Bytes(out), err
		}
		if between == nil {
			return serve(ctx, in)
		}
		return between(ctx, in, &grpc.UnaryServerInfo{Server: server, FullMethod: full}, serve)
	}
	return &grpc.ServiceDesc{
		ServiceName: name, HandlerType: (*bytesServer)(nil),
		Methods: []grpc.MethodDesc{{MethodName: method, Handler: handler}},
	}
}

func reconcilerService() *grpc.ServiceDesc { return service("bench.Reconciler", "Reconcile") }
func clusterService() *grpc.ServiceDesc    { return service("bench.Cluster", "Get") }

func invoke(ctx context.Context, conn *grpc.ClientConn, method string, payload []byte) ([]byte, error) {
	out := new(wrapperspb.BytesValue)
	if err := conn.Invoke(ctx, method, wrapperspb.Bytes(payload), out); err != nil {
		return nil, err
	}
	return out.GetValue(), nil
}

// clusterServer serves reads in the host.
type clusterServer struct{ category []byte }

//nolint:unparam // bytesServer wants an error
func (s clusterServer) serve(context.Context, []byte) ([]byte, error) { return s.category, nil }

// remoteReconciler is the client of the reconciler in the host.
type remoteReconciler struct {
	conn *grpc.ClientConn
	// broker is the ID of the connection on which the plugin finds the host. It precedes each payload.
	broker uint32
}

func (r *remoteReconciler) reconcile(ctx context.Context, input []byte) ([]byte, error) {
	payload := make([]byte, 4, 4+len(input))
	binary.LittleEndian.PutUint32(payload, r.broker)
	return invoke(ctx, r.conn, reconcileMethod, append(payload, input...))
}

// localReconciler serves reconciles in the plugin process.
type localReconciler struct {
	broker *goplugin.GRPCBroker

	once sync.Once
	host *grpc.ClientConn
	err  error
}

func (l *localReconciler) serve(ctx context.Context, payload []byte) ([]byte, error) {
	if len(payload) < 4 {
		return nil, errors.New("the payload is too short")
	}
	l.once.Do(func() { l.host, l.err = l.broker.Dial(binary.LittleEndian.Uint32(payload)) })
	if l.err != nil {
		return nil, l.err
	}
	return work.Run(payload[4:], func(request []byte) ([]byte, error) { return invoke(ctx, l.host, getMethod, request) })
}
