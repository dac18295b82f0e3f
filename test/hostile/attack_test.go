// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// step is the step that a module must reach.
type step string

const (
	// describes: the module is rejected before it is loaded.
	describes step = "describe"
	// loads: the module is rejected when it is loaded.
	loads step = "load"
	// fails: the hostile call fails, and a good call succeeds afterwards.
	fails step = "call"
	// answers: the module is harmless: the hostile call succeeds, too.
	succeeds step = "answer"
	// builds: the cost of the module must be limited, whether the module is rejected, is harmless, or has frames that
	// are too large for the call stack by a conservative estimate.
	builds step = "build"
	// goes: the module is harmless, and misbehaves only when its instance is closed.
	closes step = "close"
)

// attack is one module and its expected outcome.
type attack struct {
	// name is the name of the fixture or of the generated module. The text after a slash is the last byte of the input,
	// which selects one of several tricks of a fixture.
	name string
	at   step
	// reason is the condition reason of a module that is rejected.
	reason string
	// kind is the kind of the error of a failed call.
	kind plugin.Kind
	// want is a part of the error, a part of the log (closes), or the whole reply (succeeds).
	want string

	// export is the export that is called. Empty means reconcile.
	export string

	// build generates the module, if there is no fixture.
	build func() []byte
	// pages is the maximum memory of the plugin in pages. 0 means 64.
	pages uint32
	// fuel is the maximum number of instructions of a call. 0 means no limit.
	fuel uint64
	// perCall gives each call an instance in the state after its initialization.
	perCall bool
	// peaceful is how many hostile calls an instance answers before it misbehaves.
	peaceful int
	// most is the maximum memory that the attack may add to that of the process, in bytes. 0 means that it is not
	// checked.
	most uint64
	// hopeless modules do not answer good calls either.
	hopeless bool
}

func (a attack) file() string {
	name, _, _ := strings.Cut(a.name, "/")
	return name
}

// input returns the input of the hostile call.
func (a attack) input() []byte {
	if _, trick, ok := strings.Cut(a.name, "/"); ok {
		return []byte("trick-" + trick)
	}
	return []byte("hostile")
}

func (a attack) module() (plugin.Module, error) {
	if a.build != nil {
		return plugin.NewModule(a.build()), nil
	}
	return fixture(a.file())
}

func fixture(name string) (plugin.Module, error) {
	bytes, err := os.ReadFile(filepath.Join("testdata", name+".wasm"))
	return plugin.NewModule(bytes), err
}

// timesOut reports whether the attack must be stopped by its deadline.
func (a attack) timesOut() bool {
	return a.kind == plugin.KindTimeout || a.kind == "" && strings.Contains(a.want, string(plugin.KindTimeout))
}

func (a attack) limits() plugin.Limits {
	l := plugin.Limits{MaxMemoryPages: 64, CallTimeout: timeout, MaxInstances: 2, IdleTimeout: time.Hour, Fuel: a.fuel}
	if a.pages > 0 {
		l.MaxMemoryPages = a.pages
	}
	if a.timesOut() {
		l.CallTimeout = deadline
	}
	if a.perCall {
		l.InstancePolicy = pluginsv1alpha1.InstancePolicyPerCall
	}
	if a.peaceful > 0 {
		l.MaxInstances = 1
	}
	return l
}

// canBeRejected reports whether an error is an acceptable rejection of the module.
func (a attack) canBeRejected(err error) bool {
	var load *plugin.LoadError
	return a.at == builds && errors.As(err, &load) &&
		(load.Reason == pluginsv1alpha1.ReasonInvalidModule || load.Reason == pluginsv1alpha1.ReasonCompileFailed)
}

// rejected returns an error if err is not the expected rejection of the module.
func (a attack) rejected(err error) error {
	var load *plugin.LoadError
	switch {
	case err == nil:
		return fmt.Errorf("the module was not rejected at %s, want %s: %s", a.at, a.reason, a.want)
	case !errors.As(err, &load):
		return fmt.Errorf("got %w, want a LoadError", err)
	case load.Reason != a.reason || !strings.Contains(load.Error(), a.want):
		return fmt.Errorf("rejected at %s as %s: %w\nwant %s: %s", a.at, load.Reason, err, a.reason, a.want)
	}
	return nil
}

// answered returns an error if the outcome of a hostile call is not the expected one.
func (a attack) answered(reply []byte, err error) error {
	if a.at == builds && plugin.KindOf(err) == plugin.KindTrap && strings.Contains(err.Error(), tooDeep) {
		return nil
	}
	if a.at != fails {
		if err != nil || string(reply) != a.reply() {
			return fmt.Errorf("got %.40q and %s, want the reply %.40q", reply, fmt.Sprint(err), a.reply())
		}
		return nil
	}
	switch {
	case err == nil:
		return fmt.Errorf("the call was answered by %.100q, want %s: %s", reply, a.kind, a.want)
	case plugin.KindOf(err) != a.kind || !strings.Contains(err.Error(), a.want):
		return fmt.Errorf("got %w\nwant %s: %s", err, a.kind, a.want)
	case len(err.Error()) > maxErrorText:
		return fmt.Errorf("the error has %d bytes, more than %d", len(err.Error()), maxErrorText)
	}
	return nil
}

func (a attack) reply() string {
	if a.at == closes {
		return ""
	}
	return a.want
}

// attacks returns all attacks.
func attacks() []attack {
	return slices.Concat(loops(), calls(), burns(), memories(), traps(), replies(), allocs(), requests(), states(), worlds(), shapes(), admissions(), hostWork(), generated())
}
