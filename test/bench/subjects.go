// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-logr/logr"

	"github.com/k1s-io/k1s/internal/abi"
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
	open, ok := map[string]func() *measure.Opened{
		"native":   func() *measure.Opened { return openPeers(peer.Native{Category: work.Category()}) },
		"goplugin": func() *measure.Opened { return openPeers(must(peer.NewGoPlugin(work.Category()))) },
		"extism":   func() *measure.Opened { return s.openExtism(rest, count) },
		"engine": func() *measure.Opened {
			return s.openEngine(rest, func(l *plugin.Limits) { l.MaxInstances = count }).Opened
		},
		"fresh": func() *measure.Opened {
			return s.openEngine(rest, func(l *plugin.Limits) { l.MaxInstances, l.IdleTimeout = 1, 0 }).Opened
		},
		"direct":   func() *measure.Opened { return s.openDirect(rest) },
		"embedded": func() *measure.Opened { return s.openEmbedded(rest) },
		"neighbor": func() *measure.Opened { return s.openNeighbor(rest == "beside-loop") },
	}[kind]
	if !ok {
		return measure.Subject{}, fmt.Errorf("no subject is called %q", name)
	}
	return measure.Subject{Name: name, Callers: count, Open: func(context.Context) (opened *measure.Opened, err error) {
		err = try(func() { opened = open() })
		return opened, err
	}}, nil
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

// expected returns the reply that every guest must return, which is the reply of the native code.
func expected() []byte {
	return must(peer.Native{Category: work.Category()}.Reconcile(context.Background(), work.Input()))
}

// openPeers returns a subject in which each caller calls its own peer, or all callers the only one.
func openPeers(peers ...peer.Peer) *measure.Opened {
	input, want := work.Input(), expected()
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
	}
}

// openExtism creates an instance for each caller, because an instance of Extism serves one call at a time.
func (s *session) openExtism(name string, count int) *measure.Opened {
	language, variant, _ := strings.Cut(name, "-")
	module := must(s.guests.Read(strings.TrimSuffix(language+"-extism-"+variant, "-")))
	var peers []peer.Peer
	for range count {
		peers = append(peers, must(peer.NewExtism(s.ctx, module, work.Category())))
	}
	return openPeers(peers...)
}

// openDirect creates an instance on wazero without the engine.
func (s *session) openDirect(name string) *measure.Opened {
	language, protection, _ := strings.Cut(name, "-")
	return openPeers(must(direct.New(s.ctx, s.module(language).Bytes, direct.Protection(protection), work.Category())))
}

// newEngine returns an engine that keeps compiled code in a directory, or, without one, only in memory.
func newEngine(ctx context.Context, cacheDir string) *wasm.Engine {
	return must(wasm.New(ctx, wasm.Options{CacheDir: cacheDir, Log: logr.Discard()}))
}

// loadRequest returns a request to load a module with the default limits of the operator.
func loadRequest(module plugin.Module, host plugin.Host) plugin.LoadRequest {
	return plugin.LoadRequest{
		Name: "bench/bench", Module: module, Settings: []byte("{}"), Host: host,
		Limits: plugin.Limits{MaxMemoryPages: 1024, CallTimeout: 5 * time.Second, MaxInstances: 4, IdleTimeout: time.Minute},
	}
}

// loaded is a guest in an engine, which is closed with the guest.
type loaded struct {
	*measure.Opened

	engine *wasm.Engine
}

// openEngine loads a guest into a new engine.
func (s *session) openEngine(language string, change func(*plugin.Limits)) loaded {
	var want abi.ReconcileResult
	check(json.Unmarshal(expected(), &want))
	req := loadRequest(s.module(language), guest.NewHost())
	change(&req.Limits)
	engine := newEngine(s.ctx, "")
	runner, _, err := engine.Load(s.ctx, req)
	if err != nil {
		check(errors.Join(err, engine.Close(s.ctx)))
	}
	request := work.Request()
	return loaded{engine: engine, Opened: &measure.Opened{
		Call: func(ctx context.Context, _ int) error {
			got, err := plugin.Reconcile(ctx, runner, request)
			if err == nil && got != want {
				err = fmt.Errorf("replied %+v, want %+v", got, want)
			}
			return err
		},
		Close: func() error {
			ctx := context.WithoutCancel(s.ctx)
			return errors.Join(runner.Close(ctx), engine.Close(ctx))
		},
	}}
}
