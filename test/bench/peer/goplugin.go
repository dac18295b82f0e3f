// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
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
	remote *remoteReconciler
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
	p := &GoPlugin{client: client}
	if err := p.connect(); err != nil {
		client.Kill()
		return nil, fmt.Errorf("start a process of go-plugin: %w", err)
	}
	return p, nil
}

func (p *GoPlugin) connect() error {
	protocol, err := p.client.Client()
	if err != nil {
		return err
	}
	raw, err := protocol.Dispense(pluginName)
	if err != nil {
		return err
	}
	remote, ok := raw.(*remoteReconciler)
	if !ok {
		return fmt.Errorf("dispensed a %T", raw)
	}
	p.remote = remote
	return nil
}

// Reconcile implements Peer. It can be called concurrently.
func (p *GoPlugin) Reconcile(ctx context.Context, input []byte) ([]byte, error) {
	return p.remote.reconcile(ctx, input)
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
	s.RegisterService(reconcilerService(), &localReconciler{broker: broker})
	return nil
}

// GRPCClient returns the client in the host.
func (p *reconcilerPlugin) GRPCClient(_ context.Context, broker *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	id := broker.NextId()
	go broker.AcceptAndServe(id, func(options []grpc.ServerOption) *grpc.Server {
		s := grpc.NewServer(options...)
		s.RegisterService(clusterService(), clusterServer{category: p.category})
		return s
	})
	return &remoteReconciler{conn: conn, broker: id}, nil
}
