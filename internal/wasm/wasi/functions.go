// SPDX-License-Identifier: Apache-2.0

package wasi

import (
	"context"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// call is one call of a WASI function: the guest, its memory and the arguments.
type call struct {
	Guest
	ctx    context.Context //nolint:containedctx // a call lives as long as its context
	module api.Module
	args   []uint64
}

func (c *call) memory() api.Memory { return c.module.Memory() }

// u32 returns an argument that is a pointer, a length or a file descriptor.
func (c *call) u32(i int) uint32 { return uint32(c.args[i]) }

// Function is a function of WASI preview 1.
type Function struct {
	Params, Results []api.ValueType
	do              func(*call) errno
}

const (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

// Functions returns all functions by name.
func Functions() map[string]Function {
	// function returns a Function that returns an error number.
	function := func(do func(*call) errno, params ...api.ValueType) Function {
		return Function{Params: params, Results: []api.ValueType{i32}, do: do}
	}
	always := func(e errno) func(*call) errno { return func(*call) errno { return e } }
	return map[string]Function{
		"args_get":          function(always(success), i32, i32),
		"args_sizes_get":    function(noStrings, i32, i32),
		"environ_get":       function(always(success), i32, i32),
		"environ_sizes_get": function(noStrings, i32, i32),

		"clock_res_get":  function(clockRes, i32, i32),
		"clock_time_get": function(clockTime, i32, i64, i32),
		"random_get":     function(random, i32, i32),
		"sched_yield":    function(yield),
		"poll_oneoff":    function(poll, i32, i32, i32, i32),
		"proc_exit":      {Params: []api.ValueType{i32}, do: exit},
		"proc_raise":     function(always(nosys), i32),

		"fd_advise":             function(onStream(success), i32, i64, i64, i32),
		"fd_allocate":           function(onStream(inval), i32, i64, i64),
		"fd_close":              function(onStream(success), i32),
		"fd_datasync":           function(onStream(success), i32),
		"fd_fdstat_get":         function(fdstat, i32, i32),
		"fd_fdstat_set_flags":   function(onStream(success), i32, i32),
		"fd_fdstat_set_rights":  function(onStream(success), i32, i64, i64),
		"fd_filestat_get":       function(filestat, i32, i32),
		"fd_filestat_set_size":  function(onStream(inval), i32, i64),
		"fd_filestat_set_times": function(onStream(inval), i32, i64, i64, i32),
		"fd_pread":              function(onStream(spipe), i32, i32, i32, i64, i32),
		"fd_prestat_get":        function(always(badf), i32, i32), // there are no preopened directories
		"fd_prestat_dir_name":   function(always(badf), i32, i32, i32),
		"fd_pwrite":             function(onStream(spipe), i32, i32, i32, i64, i32),
		"fd_read":               function(fdRead, i32, i32, i32, i32),
		"fd_readdir":            function(onStream(notdir), i32, i32, i32, i64, i32),
		"fd_renumber":           function(onStream(notsup), i32, i32),
		"fd_seek":               function(onStream(spipe), i32, i64, i32, i32),
		"fd_sync":               function(onStream(success), i32),
		"fd_tell":               function(onStream(spipe), i32, i32),
		"fd_write":              function(fdWrite, i32, i32, i32, i32),

		"path_create_directory":   function(always(badf), i32, i32, i32),
		"path_filestat_get":       function(always(badf), i32, i32, i32, i32, i32),
		"path_filestat_set_times": function(always(badf), i32, i32, i32, i32, i64, i64, i32),
		"path_link":               function(always(badf), i32, i32, i32, i32, i32, i32, i32),
		"path_open":               function(always(badf), i32, i32, i32, i32, i32, i64, i64, i32, i32),
		"path_readlink":           function(always(badf), i32, i32, i32, i32, i32, i32),
		"path_remove_directory":   function(always(badf), i32, i32, i32),
		"path_rename":             function(always(badf), i32, i32, i32, i32, i32, i32),
		"path_symlink":            function(always(badf), i32, i32, i32, i32, i32),
		"path_unlink_file":        function(always(badf), i32, i32, i32),

		"sock_accept":   function(onStream(notsock), i32, i32, i32),
		"sock_recv":     function(onStream(notsock), i32, i32, i32, i32, i32, i32),
		"sock_send":     function(onStream(notsock), i32, i32, i32, i32, i32),
		"sock_shutdown": function(onStream(notsock), i32, i32),
	}
}

// Instantiate creates the module from which guests import the functions.
func Instantiate(ctx context.Context, runtime wazero.Runtime, from From) error {
	builder := runtime.NewHostModuleBuilder(ModuleName)
	for name, f := range Functions() {
		run := func(ctx context.Context, module api.Module, stack []uint64) {
			c := &call{Guest: from(ctx), ctx: ctx, module: module, args: stack}
			c.MustContinue()
			result := f.do(c)
			if len(f.Results) > 0 {
				stack[0] = uint64(result)
			}
		}
		builder.NewFunctionBuilder().
			WithGoModuleFunction(api.GoModuleFunc(run), f.Params, f.Results).
			WithName(name).
			Export(name)
	}
	_, err := builder.Instantiate(ctx)
	return err
}
