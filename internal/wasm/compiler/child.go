// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/tetratelabs/wazero"
)

// variable is the environment variable that makes a process a child; its value is a job in JSON.
const variable = "K1S_COMPILE"

// exitRejected is the child's exit code for a module that the compiler rejects: the reason is on standard error.
const exitRejected = 3

// job is what a child is told besides the module, which it reads from standard input.
type job struct {
	CacheDir string
	Limits   Limits
}

// Dispatch runs the compiler and exits if this process is a child. It must be the first thing that main does.
func Dispatch() {
	text, ok := os.LookupEnv(variable)
	if !ok {
		return
	}
	code, err := run(text, os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func run(text string, module io.Reader) (code int, err error) {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return 1, fmt.Errorf("read %s: %w", variable, err)
	}
	if err := j.Limits.enforce(); err != nil {
		return 1, fmt.Errorf("limit the process: %w", err)
	}
	debug.SetMemoryLimit(j.Limits.Memory / 4 * 3) // to collect garbage before the limit is reached
	bytes, err := io.ReadAll(module)
	if err != nil {
		return 1, fmt.Errorf("read the module: %w", err)
	}
	cache, err := wazero.NewCompilationCacheWithDir(j.CacheDir)
	if err != nil {
		return 1, fmt.Errorf("open the cache directory: %w", err)
	}
	ctx := context.Background()
	_, err = wazero.NewRuntimeWithConfig(ctx, Config().WithCompilationCache(cache)).CompileModule(ctx, bytes)
	if err != nil {
		return exitRejected, err
	}
	return 0, nil
}
