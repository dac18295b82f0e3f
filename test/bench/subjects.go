// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-logr/logr"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm"
	"github.com/k1s-io/k1s/test/bench/direct"
	"github.com/k1s-io/k1s/test/bench/guest"
	"github.com/k1s-io/k1s/test/bench/measure"
	"github.com/k1s-io/k1s/test/bench/peer"
	"github.com/k1s-io/k1s/test/bench/work"
)

// callers is how many callers the rows about throughput have: one for each core of the machine that the targets are
// for.
const callers = 2

// subject returns the subject with the given name:
//
//	engine-LANGUAGE, engine-LANGUAGE-2      the guest through the engine, by one caller or two
//	fresh-LANGUAGE                          the same with a new instance for each call
//	direct-LANGUAGE-PROTECTION              the guest on wazero, without the engine
//	native, goplugin, goplugin-2, -16       peers
//	extism-GUEST, extism-GUEST-2            a guest of Extism
//	embedded-item, -category, …-2           the embedded controllers
//	neighbor-quiet, neighbor-beside-loop    a plugin without and with one in the same engine that loops forever
func (s *session) subject(name string) (measure.Subject, error) {
	kind, rest, _ := strings.Cut(name, "-")
	rest, count := cutCallers(rest)
	subject := measure.Subject{Name: name, Callers: count}
	switch kind {
	case "native":
		subject.Open = func(context.Context) (*measure.Opened, error) {
			return openPeers(peer.Native{Category: work.Category()})
		}
	case "goplugin":
		subject.Open = func(context.Context) (*measure.Opened, error) {
			p, err := peer.NewGoPlugin(work.Category())
			if err != nil {
				return nil, err
			}
			return openPeers(p)
		}
	case "extism":
		subject.Open = func(ctx context.Context) (*measure.Opened, error) { return s.openExtism(ctx, rest, count) }
	case "engine":
		subject.Open = func(ctx context.Context) (*measure.Opened, error) {
			return s.openEngine(ctx, rest, func(l *plugin.Limits) { l.MaxInstances = count })
		}
	case "fresh":
		subject.Open = func(ctx context.Context) (*measure.Opened, error) { return s.openEngine(ctx, rest, perCall) }
	case "direct":
		subject.Open = func(ctx context.Context) (*measure.Opened, error) { return s.openDirect(ctx, rest) }
	case "embedded":
		subject.Open = func(ctx context.Context) (*measure.Opened, error) { return s.openEmbedded(ctx, rest) }
	case "neighbor":
		subject.Open = func(ctx context.Context) (*measure.Opened, error) { return s.openNeighbor(ctx, rest == "beside-loop") }
	default:
		return measure.Subject{}, fmt.Errorf("no subject is called %q", name)
	}
	return subject, nil
}

// cutCallers removes the number of callers from the end of a name, and returns both.
func cutCallers(name string) (string, int) {
	for suffix, n := range map[string]int{"2": callers, "16": 16} {
		if name == suffix {
			return "", n
		}
		if rest, ok := strings.CutSuffix(name, "-"+suffix); ok {
			return rest, n
		}
	}
	return name, 1
}

// openPeers returns a subject in which each caller calls its own peer, or all callers the only one.
func openPeers(peers ...peer.Peer) (*measure.Opened, error) {
	want, err := expected()
	if err != nil {
		return nil, err
	}
	input := work.Input()
	return &measure.Opened{
		Call: func(ctx context.Context, caller int) error {
			got, err := peers[caller%len(peers)].Reconcile(ctx, input)
			if err == nil && !bytes.Equal(got, want) {
				err = fmt.Errorf("replied %q, want %q", got, want)
			}
			return err
		},
		Close: func() (err error) {
			for _, p := range peers {
				err = errors.Join(err, p.Close())
			}
			return err
		},
	}, nil
}

// openExtism creates an instance for each caller, because an instance of Extism serves one call at a time.
func (s *session) openExtism(ctx context.Context, name string, count int) (*measure.Opened, error) {
	language, variant, _ := strings.Cut(name, "-")
	module, err := s.guests.Read(strings.TrimSuffix(language+"-extism-"+variant, "-"))
	if err != nil {
		return nil, err
	}
	peers := make([]peer.Peer, count)
	for i := range peers {
		if peers[i], err = peer.NewExtism(ctx, module, work.Category()); err != nil {
			return nil, err
		}
	}
	return openPeers(peers...)
}

// limits returns the default limits of the operator.
func limits() plugin.Limits {
	return plugin.Limits{MaxMemoryPages: 1024, CallTimeout: 5 * time.Second, MaxInstances: 4, IdleTimeout: time.Minute}
}

// perCall makes each call use a new instance.
func perCall(l *plugin.Limits) { l.MaxInstances, l.IdleTimeout = 1, 0 }

func newEngine(ctx context.Context, cacheDir string) (*wasm.Engine, error) {
	return wasm.New(ctx, wasm.Options{CacheDir: cacheDir, Log: logr.Discard()})
}

func loadRequest(module plugin.Module, host plugin.Host) plugin.LoadRequest {
	return plugin.LoadRequest{Name: "bench/bench", Module: module, Settings: []byte("{}"), Host: host, Limits: limits()}
}

// openEngine loads a guest into a new engine.
func (s *session) openEngine(ctx context.Context, language string, change func(*plugin.Limits)) (*measure.Opened, error) {
	opened, _, err := s.openIn(ctx, language, change)
	return opened, err
}

// openIn does the same as openEngine, and also returns the engine, which is closed with the guest.
func (s *session) openIn(ctx context.Context, language string, change func(*plugin.Limits)) (*measure.Opened, *wasm.Engine, error) {
	module, err := s.module(language)
	if err != nil {
		return nil, nil, err
	}
	want, err := expectedMillis()
	if err != nil {
		return nil, nil, err
	}
	engine, err := newEngine(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	req := loadRequest(module, guest.NewHost())
	change(&req.Limits)
	runner, _, err := engine.Load(ctx, req)
	if err != nil {
		return nil, nil, errors.Join(err, engine.Close(ctx))
	}
	request := work.Request()
	return &measure.Opened{
		Call: func(ctx context.Context, _ int) error {
			got, err := plugin.Reconcile(ctx, runner, request)
			if err == nil && got.RequeueAfterMillis != want {
				err = fmt.Errorf("replied %d, want %d", got.RequeueAfterMillis, want)
			}
			return err
		},
		Close: func() error {
			ctx := context.WithoutCancel(ctx)
			return errors.Join(runner.Close(ctx), engine.Close(ctx))
		},
	}, engine, nil
}

// openDirect creates an instance on wazero without the engine.
func (s *session) openDirect(ctx context.Context, name string) (*measure.Opened, error) {
	language, protection, _ := strings.Cut(name, "-")
	module, err := s.module(language)
	if err != nil {
		return nil, err
	}
	want, err := expected()
	if err != nil {
		return nil, err
	}
	g, err := direct.New(ctx, module.Bytes, direct.Protection(protection), work.Category())
	if err != nil {
		return nil, err
	}
	input := work.Input()
	return &measure.Opened{
		Call:  func(ctx context.Context, _ int) error { return g.Reconcile(ctx, input, want) },
		Close: func() error { return g.Close(context.WithoutCancel(ctx)) },
	}, nil
}
