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

// step is how far a module must get.
type step string

const (
	// describes: it is refused before anything is loaded.
	describes step = "describe"
	// loads: it is refused when a revision is made of it.
	loads step = "load"
	// fails: its hostile call fails, and a good one is answered afterwards.
	fails step = "call"
	// answers: it is harmless: its hostile call is answered, too.
	answers step = "answer"
	// builds: what it costs is to be bounded, be it that it is refused, harmless, or too large a frame for
	// the call stack by a careful estimate.
	builds step = "build"
	// goes: it is harmless, and misbehaves only when its instance is released.
	goes step = "close"
)

// attack is one module and what must become of it.
type attack struct {
	// name is that of the fixture or of what makes the module; what follows a slash is the last byte of
	// the input, by which a fixture with several tricks picks one.
	name string
	at   step
	// reason is the condition reason of a module that is refused.
	reason string
	// kind is the kind of the failed call's error.
	kind plugin.Kind
	// want is part of the error, of the log (goes) or all of the reply (answers).
	want string

	// export is what is called; reconcile if it is empty.
	export string

	// build makes the module, if there is no fixture.
	build func() []byte
	// pages is the memory that the plugin may have; 64 if 0.
	pages uint32
	// fuel is how many instructions a call may run; as many as it likes if 0.
	fuel uint64
	// perCall gives each call an instance as initialization left it.
	perCall bool
	// peaceful is how many hostile calls an instance answers before it misbehaves.
	peaceful int
	// most is how much memory the attack may take in bytes, beside what the process has before; 0 is not looked at.
	most uint64
	// hopeless modules answer no good call either.
	hopeless bool
}

func (a attack) file() string {
	name, _, _ := strings.Cut(a.name, "/")
	return name
}

// input is the hostile call's.
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

// timesOut reports whether the attack must be ended by its deadline.
func (a attack) timesOut() bool {
	return a.kind == plugin.KindTimeout || a.kind == "" && strings.Contains(a.want, string(plugin.KindTimeout))
}

func (a attack) limits() plugin.Limits {
	l := plugin.Limits{MaxMemoryPages: 64, CallTimeout: patience, MaxInstances: 2, IdleTimeout: time.Hour, Fuel: a.fuel}
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

// mayRefuse reports whether an error is that of a module that need not be taken.
func (a attack) mayRefuse(err error) bool {
	var load *plugin.LoadError
	return a.at == builds && errors.As(err, &load) &&
		(load.Reason == pluginsv1alpha1.ReasonInvalidModule || load.Reason == pluginsv1alpha1.ReasonCompileFailed)
}

// refused holds an error against the one that a refusal must be.
func (a attack) refused(err error) error {
	var load *plugin.LoadError
	switch {
	case err == nil:
		return fmt.Errorf("the module was not refused at %s, want %s: %s", a.at, a.reason, a.want)
	case !errors.As(err, &load):
		return fmt.Errorf("got %w, want a LoadError", err)
	case load.Reason != a.reason || !strings.Contains(load.Error(), a.want):
		return fmt.Errorf("refused at %s as %s: %w\nwant %s: %s", a.at, load.Reason, err, a.reason, a.want)
	}
	return nil
}

// answered holds the outcome of a hostile call against what it must be.
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
	if a.at == goes {
		return ""
	}
	return a.want
}

// attacks are all there are.
func attacks() []attack {
	return slices.Concat(loops(), calls(), burns(), memories(), traps(), replies(), allocs(), requests(), states(), worlds(), shapes(), admissions(), hostWork(), generated())
}
