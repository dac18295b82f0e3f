// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/tetratelabs/wazero"

	"github.com/k1s-io/k1s/internal/wasm/codecache"
)

// compile compiles an artifact that is not in the cache. Unless the module is known to compile within the limits,
// it is first compiled in a separate process that can be stopped. The native code is then read from the cache
// directory.
func (e *Engine) compile(ctx context.Context, a *codecache.Artifact, known bool) (wazero.CompiledModule, error) {
	module := a.Module
	if e.compiler != nil && !known && a.Cost > maxCostHere {
		if err := e.compiler.Compile(ctx, module); err != nil {
			return nil, err
		}
	}
	code, err := e.compileOnce(ctx, module)
	if err == nil || !e.forgive(err) {
		return code, err
	}
	return e.compileOnce(ctx, module)
}

// compileOnce compiles a module once. It turns a panic of the compiler into an error of that module. wazero could
// compile with several goroutines, but a panic in one of those would end the process.
func (e *Engine) compileOnce(ctx context.Context, module []byte) (code wazero.CompiledModule, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			code, err = nil, fmt.Errorf("the compiler failed: %v", fault)
		}
	}()
	return e.runtime.CompileModule(ctx, module)
}

// forgive reports whether compiling failed because of the cache directory and is likely to succeed now: a full or
// damaged disk must not prevent a plugin from loading.
func (e *Engine) forgive(err error) bool {
	if e.cache == nil {
		return false
	}
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path), errors.As(err, &link):
		// wazero could not write the code to disk, but already holds it in memory.
		e.log.Error(err, "Cannot keep compiled code")
		return true
	case strings.HasPrefix(err.Error(), "compilationcache: "):
		e.log.Error(err, "Compiled code is damaged, and compiled anew")
		if err := e.dir.RemoveCompiled(); err != nil {
			e.log.Error(err, "Cannot remove compiled code")
		}
		return true
	}
	return false
}
