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

// variable is the environment variable that makes a process a child. Its value is a job in JSON.
const variable = "K1S_COMPILE"

// exitRejected is the exit code of the child for a module that the compiler rejects. The reason is on standard error.
const exitRejected = 3

// job is the input of a child, in addition to the module, which the child reads from standard input.
type job struct {
	CacheDir string
	Limits   Limits
}

// Dispatch runs the compiler and exits if this process is a child. main must call it first.
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
	debug.SetMemoryLimit(j.Limits.Memory / 4 * 3) // starts garbage collection before the limit is reached
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
