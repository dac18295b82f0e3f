// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"strings"
	"testing"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// rejection is a fixture that must be rejected.
type rejection struct {
	name   string // of the fixture
	reason string // of the condition
	want   string // in the message
}

// malformedModules are rejected because of their bytes.
var malformedModules = []rejection{
	{"no_version", pluginsv1alpha1.ReasonMissingABIVersion, `no export "k1s_abi_version"`},
	{"no_alloc", pluginsv1alpha1.ReasonMissingExport, `no export "k1s_alloc" (i32) -> (i32)`},
	{"no_memory", pluginsv1alpha1.ReasonMissingExport, `does not export a memory as "memory"`},
	{"memory_is_function", pluginsv1alpha1.ReasonMissingExport, `does not export a memory as "memory"`},
	{"reconcile_signature", pluginsv1alpha1.ReasonMissingExport, `exports "reconcile" as (i32, i32) -> (): guest ABI 1 wants (i32, i32) -> (i64)`},
	{"health_is_global", pluginsv1alpha1.ReasonMissingExport, `exports "k1s_health" as global`},
	{"reexport", pluginsv1alpha1.ReasonMissingExport, `exports an import as "reconcile"`},
	{"command", pluginsv1alpha1.ReasonCommandModule, `it exports "_start"`},
	{"import_function", pluginsv1alpha1.ReasonUnknownImport, `imports the func "k1s" "k1s_client_watch"`},
	{"import_env", pluginsv1alpha1.ReasonUnknownImport, `imports the func "env" "abort", which the host does not offer: pass asc the option ` + "`--use abort=<file>/<function>`"},
	{"import_memory", pluginsv1alpha1.ReasonUnknownImport, `imports the memory "env" "memory", which the host does not offer: build it without -Wl,--import-memory`},
	{"import_global", pluginsv1alpha1.ReasonUnknownImport, `imports the global "k1s" "k1s_log"`},
	{"import_table", pluginsv1alpha1.ReasonUnknownImport, `imports the table "env" "__indirect_function_table", which the host does not offer: build it without -Wl,--import-table`},
	{"import_signature", pluginsv1alpha1.ReasonUnknownImport, `"k1s_log" as (i32, i32) -> (), but the host offers it as (i32, i32, i32) -> ()`},
	{"import_wasi", pluginsv1alpha1.ReasonUnknownImport, `imports the func "wasi_snapshot_preview1" "thread_spawn"`},
	{"import_wasi_signature", pluginsv1alpha1.ReasonUnknownImport, `"proc_exit" as (i64) -> (), but WASI preview 1 has it as (i32) -> ()`},
	{"proposal_threads", pluginsv1alpha1.ReasonInvalidModule, "uses the threads proposal, which k1s does not support: build it without -pthread and -matomics"},
	{"proposal_exceptions", pluginsv1alpha1.ReasonInvalidModule, "uses the exception handling proposal, which k1s does not support: build it without -fwasm-exceptions"},
	{"proposal_memory64", pluginsv1alpha1.ReasonInvalidModule, "uses the memory64 proposal, which k1s does not support: build it for wasm32"},
	{"proposal_memories", pluginsv1alpha1.ReasonInvalidModule, "uses the multi-memory proposal, which k1s does not support: build it with one memory"},
	{"proposal_constants", pluginsv1alpha1.ReasonInvalidModule, "uses the extended constant expressions proposal, which k1s does not support: build it without -mextended-const"},
	{"proposal_gc", pluginsv1alpha1.ReasonInvalidModule, "uses the garbage collection proposal, which k1s does not support: build it with a language that keeps its objects in linear memory"},
	{"memory_large", pluginsv1alpha1.ReasonMemoryLimit, "needs 65 pages of memory (64 KiB each), but spec.runtime.maxMemoryPages is 64"},
}

// describeRejections are rejected because of their metadata, or when they run to get it.
var describeRejections = []rejection{
	{"no_metadata", pluginsv1alpha1.ReasonInvalidMetadata, `neither a custom section "k1s.metadata" nor an export "k1s_metadata"`},
	{"metadata_empty", pluginsv1alpha1.ReasonInvalidMetadata, "metadata is empty"},
	{"metadata_rubbish", pluginsv1alpha1.ReasonInvalidMetadata, "unexpected EOF"},
	{"metadata_member", pluginsv1alpha1.ReasonInvalidMetadata, `unknown field "licence"`},
	{"metadata_large", pluginsv1alpha1.ReasonInvalidMetadata, "262145 bytes, more than the 262144 allowed"},
	{"metadata_outside", pluginsv1alpha1.ReasonInvalidMetadata, "256 bytes at 16777215: outside the memory of 65536 bytes"},
	{"metadata_error", pluginsv1alpha1.ReasonInvalidMetadata, "guest k1s_metadata answered InternalError: no idea"},
	{"metadata_trap", pluginsv1alpha1.ReasonInvalidMetadata, "Trap: unreachable"},
	{"metadata_loop", pluginsv1alpha1.ReasonInvalidMetadata, "Timeout: the call ran past spec.runtime.timeoutSeconds"},
	{"metadata_abi", pluginsv1alpha1.ReasonUnsupportedABIVersion, "speaks guest ABI 2, this operator speaks 1"},
	{"metadata_memory", pluginsv1alpha1.ReasonMemoryLimit, "needs 65 pages"},
	{"no_reconcile", pluginsv1alpha1.ReasonMissingExport, `declares the capability "reconcile" but has no export "reconcile"`},
	{"not_valid", pluginsv1alpha1.ReasonInvalidModule, "could not be compiled: build it again"},
	{"proposal", pluginsv1alpha1.ReasonInvalidModule, "uses the tail call proposal, which k1s does not support: build it without -mtail-call"},
	{"proposal_atomics", pluginsv1alpha1.ReasonInvalidModule, "uses the threads proposal, which k1s does not support: build it without -pthread and -matomics"},
	{"proposal_try", pluginsv1alpha1.ReasonInvalidModule, "uses the exception handling proposal, which k1s does not support: build it without -fwasm-exceptions"},
	{"proposal_simd", pluginsv1alpha1.ReasonInvalidModule, "uses the relaxed SIMD proposal, which k1s does not support: build it without -mrelaxed-simd"},
}

// startRejections are rejected when an instance is created, to get the metadata or to load the module.
var startRejections = []rejection{
	{"wrong_version", pluginsv1alpha1.ReasonUnsupportedABIVersion, "speaks guest ABI 2, this operator speaks 1"},
	{"version_trap", pluginsv1alpha1.ReasonInitializeFailed, "version could not be read: guest k1s_abi_version: Trap: unreachable"},
	{"initialize_trap", pluginsv1alpha1.ReasonInitializeFailed, "fix its _initialize: guest _initialize: Trap: unreachable in fail"},
	{"initialize_loop", pluginsv1alpha1.ReasonInitializeFailed, "guest _initialize: Timeout"},
	{"initialize_exit", pluginsv1alpha1.ReasonInitializeFailed, "guest _initialize: Exit: the guest exited with code 3"},
	{"start_trap", pluginsv1alpha1.ReasonInitializeFailed, "start function: Trap: unreachable in boot"},
	{"start_host", pluginsv1alpha1.ReasonInitializeFailed, "start function: Violation: the module's start function called a host function that replies"},
	{"data_outside", pluginsv1alpha1.ReasonInitializeFailed, "could not be instantiated"},
}

// loadRejections are rejected only when they are loaded.
var loadRejections = []rejection{
	{"settings_rejected", pluginsv1alpha1.ReasonInitializeFailed, "rejected its settings: change spec.settings, or the module: guest k1s_initialize answered Invalid: threshold is too high"},
	{"settings_host", pluginsv1alpha1.ReasonInitializeFailed, "answered Forbidden: capability: the cluster can only be reached inside the export of a capability"},
	{"unhealthy", pluginsv1alpha1.ReasonHealthCheckFailed, "guest k1s_health answered Unknown: no connection"},
}

func (r rejection) check(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s was taken", r.name)
	}
	got := asLoadError(t, err)
	if got.Reason != r.reason || !strings.Contains(got.Error(), r.want) {
		t.Errorf("got %s: %s\nwant %s: %s", got.Reason, got, r.reason, r.want)
	}
}

func TestEngine_Describe_rejects(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	for _, list := range [][]rejection{malformedModules, describeRejections, startRejections} {
		for _, tt := range list {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				req := request(t, tt.name)
				if strings.HasSuffix(tt.name, "_loop") {
					req.Limits.CallTimeout = short
				}
				_, err := e.Describe(t.Context(), req.Module, req.Limits)
				tt.check(t, err)
			})
		}
	}
}

func TestEngine_Load_rejects(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	before := load(t, e, "modes")
	t.Run("each", func(t *testing.T) {
		for _, list := range [][]rejection{malformedModules, startRejections, loadRejections} {
			for _, tt := range list {
				t.Run(tt.name, func(t *testing.T) {
					t.Parallel()
					req := request(t, tt.name)
					if strings.HasSuffix(tt.name, "_loop") {
						req.Limits.CallTimeout = short
					}
					r, _, err := e.Load(t.Context(), req)
					tt.check(t, err)
					if r != nil {
						t.Error("there is a runner as well as an error")
					}
				})
			}
		}
	})
	if got := calls(t, before); got != 1 {
		t.Errorf("the revision before: call %d, want 1", got)
	}
}

// TestEngine_Load_compileFails verifies that Load rejects a module that the compiler rejects with the reason
// ReasonCompileFailed.
func TestEngine_Load_compileFails(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	_, _, err := e.Load(t.Context(), request(t, "not_valid"))
	rejection{"not_valid", pluginsv1alpha1.ReasonCompileFailed, "could not be compiled"}.check(t, err)
	_, _, err = e.Load(t.Context(), request(t, "not_valid"))
	rejection{"not_valid", pluginsv1alpha1.ReasonCompileFailed, "could not be compiled"}.check(t, err)
	_, _, err = e.Load(t.Context(), request(t, "proposal"))
	rejection{"proposal", pluginsv1alpha1.ReasonCompileFailed, "uses the tail call proposal, which k1s does not support: build it without -mtail-call"}.check(t, err)
}

// TestEngine_Load_canceled verifies that a caller that cancels gets the error of the context, and not a LoadError.
func TestEngine_Load_canceled(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t)
	ctx, cancel := newCanceled(t)
	defer cancel()
	_, _, err := e.Load(ctx, request(t, "modes"))
	if _, describeErr := e.Describe(ctx, fixture(t, "modes"), request(t, "modes").Limits); describeErr == nil || err == nil {
		t.Fatalf("got %v and %v, want errors", err, describeErr)
	} else {
		for _, err := range []error{err, describeErr} {
			if plugin.KindOf(err) != "" || err.Error() != "context canceled" {
				t.Errorf("got %v, want the context's error", err)
			}
		}
	}
}
