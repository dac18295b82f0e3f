// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tetratelabs/wazero"
)

// compile compiles an artifact that moduleCache does not hold. Unless the module is known to compile within the limits,
// it is first compiled in a separate process that can be stopped. The native code is then read from the cache
// directory.
func (e *Engine) compile(ctx context.Context, a *artifact, known bool) (wazero.CompiledModule, error) {
	module := a.Module
	if e.compiler != nil && !known && a.cost > maxCostHere {
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
		e.emptyCache()
		return true
	}
	return false
}

// emptyCache removes the native code of all modules, because only the runtime knows which file is damaged.
func (e *Engine) emptyCache() {
	files, err := fs.Glob(os.DirFS(e.cacheDir), "wazero-*/*")
	for _, file := range files {
		err = errors.Join(err, os.Remove(filepath.Join(e.cacheDir, file)))
	}
	if err != nil {
		e.log.Error(err, "Cannot remove compiled code")
	}
}
