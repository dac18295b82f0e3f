// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"flag"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/k1s-io/k1s/internal/controller/wasmplugin/plan"
	"github.com/k1s-io/k1s/internal/wasm/compiler"
)

// Limits are limits that no plugin can exceed, whatever its spec says. In all of them 0 means no limit.
type Limits struct {
	// Ceilings are the limits for fields of specs.
	plan.Ceilings
	// InitializeTimeout is the maximum time for the initialization of a module. It applies in addition to the timeout
	// of the plugin.
	InitializeTimeout time.Duration
	// NamespaceMemory is the maximum linear memory, in bytes, of all plugins of one namespace together.
	NamespaceMemory resource.QuantityValue
	// PluginMemory is the maximum linear memory of all plugins. 0 means half of the container's memory limit, if it has
	// one.
	PluginMemory resource.QuantityValue
	// CompileTime and CompileMemory limit the compilation of a module, in processor time and bytes.
	CompileTime   time.Duration
	CompileMemory resource.QuantityValue
}

// minCompileMemory is the memory that the compiler needs for any module, in bytes.
const minCompileMemory = 32 << 20

// defaultLimits returns limits that are many times what the samples need, and that fit the chart's memory limit of 1
// GiB.
func defaultLimits() Limits {
	return Limits{
		Ceilings: plan.Ceilings{
			MaxMemoryPages: 4096, MaxInstances: 64, MaxTimeout: time.Minute, MaxNamespacePlugins: 100,
		},
		InitializeTimeout: 10 * time.Second,
		NamespaceMemory:   bytes(256 << 20),
		CompileTime:       compiler.DefaultCPU,
		CompileMemory:     bytes(compiler.DefaultMemory),
	}
}

func bytes(n int64) resource.QuantityValue {
	return resource.QuantityValue{Quantity: *resource.NewQuantity(n, resource.BinarySI)}
}

func (l *Limits) addFlags(f *flag.FlagSet) {
	f.IntVar(&l.MaxMemoryPages, "max-memory-pages", l.MaxMemoryPages, "maximum of spec.runtime.maxMemoryPages, in pages of 64 KiB; 0 means no limit")
	f.IntVar(&l.MaxInstances, "max-instances", l.MaxInstances, "maximum of spec.runtime.maxInstances; 0 means no limit")
	f.DurationVar(&l.MaxTimeout, "max-timeout", l.MaxTimeout, "maximum of spec.runtime.timeoutSeconds; 0 means no limit")
	f.DurationVar(&l.InitializeTimeout, "initialize-timeout", l.InitializeTimeout, "timeout of a module's initialization, unless spec.runtime.timeoutSeconds is shorter; 0 means spec.runtime.timeoutSeconds")
	f.IntVar(&l.MaxNamespacePlugins, "max-namespace-plugins", l.MaxNamespacePlugins, "maximum number of loaded WasmPlugins in a namespace; 0 means no limit")
	f.Var(&l.NamespaceMemory, "max-namespace-memory", "maximum linear memory of all plugins in a namespace, such as 256Mi; 0 means no limit")
	f.Var(&l.PluginMemory, "max-plugin-memory", "maximum linear memory of all plugins; 0 means half of the container's memory limit, if it has one")
	f.DurationVar(&l.CompileTime, "max-compile-time", l.CompileTime, "maximum CPU time for compiling a module; each MiB of the module adds 5s")
	f.Var(&l.CompileMemory, "max-compile-memory", "maximum memory of the process that compiles a module")
}

// validate returns an error that names the invalid flags.
func (l *Limits) validate() error {
	var errs []error
	for _, n := range []struct {
		flag  string
		value int64
	}{
		{"max-memory-pages", int64(l.MaxMemoryPages)}, {"max-instances", int64(l.MaxInstances)}, {"max-timeout", int64(l.MaxTimeout)},
		{"initialize-timeout", int64(l.InitializeTimeout)}, {"max-namespace-plugins", int64(l.MaxNamespacePlugins)},
		{"max-namespace-memory", l.NamespaceMemory.Value()}, {"max-plugin-memory", l.PluginMemory.Value()},
	} {
		if n.value < 0 {
			errs = append(errs, fmt.Errorf("--%s is below 0: 0 is no limit", n.flag))
		}
	}
	if l.MaxTimeout > 0 && l.MaxTimeout < time.Second {
		errs = append(errs, fmt.Errorf("--max-timeout %s: want 1s or more", l.MaxTimeout))
	}
	if l.CompileTime < time.Second {
		errs = append(errs, fmt.Errorf("--max-compile-time %s: want 1s or more", l.CompileTime))
	}
	if l.CompileMemory.Value() < minCompileMemory {
		errs = append(errs, fmt.Errorf("--max-compile-memory %s: want 32Mi or more", l.CompileMemory.String()))
	}
	return errors.Join(errs...)
}
