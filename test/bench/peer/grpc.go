// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// service returns a service with one method. Its messages are a well-known type of protobuf that holds bytes, so that no
// code has to be generated.
func service(serve func(ctx context.Context, payload []byte) ([]byte, error)) *grpc.ServiceDesc {
	handler := func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := new(wrapperspb.BytesValue)
		if err := decode(in); err != nil {
			return nil, err
		}
		out, err := serve(ctx, in.GetValue())
		return wrapperspb.Bytes(out), err
	}
	return &grpc.ServiceDesc{ServiceName: "bench.Service", Methods: []grpc.MethodDesc{{MethodName: "Serve", Handler: handler}}}
}

// invoke calls the service at the other end of a connection.
func invoke(ctx context.Context, conn *grpc.ClientConn, payload []byte) ([]byte, error) {
	out := new(wrapperspb.BytesValue)
	err := conn.Invoke(ctx, "/bench.Service/Serve", wrapperspb.Bytes(payload), out)
	return out.GetValue(), err
}
