// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/k1s-io/k1s/test/bench/work"
)

// serveGoPlugin is an environment variable that makes this program run as the plugin process.
const serveGoPlugin = "K1S_BENCH_GO_PLUGIN"

// handshake returns the configuration that the host and the plugin have to share.
func handshake() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: serveGoPlugin, MagicCookieValue: "reconcile"}
}

const pluginName = "reconciler"

// ServeGoPlugin serves the work and returns true if this is the plugin process. Otherwise it does nothing.
func ServeGoPlugin() bool {
	if os.Getenv(serveGoPlugin) == "" {
		return false
	}
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: handshake(),
		Plugins:         goplugin.PluginSet{pluginName: &reconcilerPlugin{}},
		GRPCServer:      goplugin.DefaultGRPCServer,
		Logger:          hclog.NewNullLogger(),
	})
	return true
}

// GoPlugin is a process that does the work natively. It reads the Category from its host over a second gRPC connection,
// which go-plugin's broker opens once.
type GoPlugin struct {
	client *goplugin.Client
	remote remote
}

// NewGoPlugin starts the plugin process, which runs this program.
func NewGoPlugin(category []byte) (*GoPlugin, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  handshake(),
		Plugins:          goplugin.PluginSet{pluginName: &reconcilerPlugin{category: category}},
		Cmd:              exec.Command(self),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
		Stderr:           io.Discard,
	})
	protocol, err := client.Client()
	var dispensed any
	if err == nil {
		dispensed, err = protocol.Dispense(pluginName)
	}
	if err != nil {
		client.Kill()
		return nil, fmt.Errorf("start a process of go-plugin: %w", err)
	}
	return &GoPlugin{client: client, remote: dispensed.(remote)}, nil //nolint:forcetypeassert // what GRPCClient returns
}

// Reconcile implements Peer. It can be called concurrently. The payload starts with the ID of the connection on which
// the plugin finds its host.
func (p *GoPlugin) Reconcile(ctx context.Context, input []byte) ([]byte, error) {
	payload := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(input)), p.remote.broker)
	return invoke(ctx, p.remote.conn, append(payload, input...))
}

// Close implements Peer.
func (p *GoPlugin) Close() error {
	p.client.Kill()
	return nil
}

// reconcilerPlugin implements both sides of the plugin for go-plugin.
type reconcilerPlugin struct {
	goplugin.NetRPCUnsupportedPlugin

	category []byte // only in the host
}

// GRPCServer registers the service in the plugin process.
func (*reconcilerPlugin) GRPCServer(broker *goplugin.GRPCBroker, s *grpc.Server) error {
	var once sync.Once
	var host *grpc.ClientConn
	var failed error
	s.RegisterService(service(func(ctx context.Context, payload []byte) ([]byte, error) {
		once.Do(func() { host, failed = broker.Dial(binary.LittleEndian.Uint32(payload)) })
		if failed != nil {
			return nil, failed
		}
		return work.Run(payload[4:], func(request []byte) ([]byte, error) { return invoke(ctx, host, request) })
	}), nil)
	return nil
}

// remote is the plugin process as seen from the host.
type remote struct {
	conn *grpc.ClientConn
	// broker is the ID of the connection on which the host serves reads.
	broker uint32
}

// GRPCClient returns the remote in the host, and serves its reads.
func (p *reconcilerPlugin) GRPCClient(_ context.Context, broker *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	id := broker.NextId()
	go broker.AcceptAndServe(id, func(options []grpc.ServerOption) *grpc.Server {
		s := grpc.NewServer(options...)
		s.RegisterService(service(func(context.Context, []byte) ([]byte, error) { return p.category, nil }), nil)
		return s
	})
	return remote{conn: conn, broker: id}, nil
}
