// SPDX-License-Identifier: Apache-2.0

package architecture

// rule forbids dependencies. Its patterns are import paths. A pattern without a host is relative to the root module,
// and "/..." at the end matches everything below.
type rule struct {
	from   []string // the packages that the rule applies to
	except []string // exceptions from these

	forbid []string // what they are not allowed to depend on
	only   []string // or: all that they are allowed to depend on, besides the standard library

	direct bool // checks only direct imports
	later  bool // the packages need not exist yet
	reason string
}

// allPackages matches every package of the root module.
var allPackages = []string{module + "/..."}

func rules() []rule {
	return []rule{
		{
			from: []string{"api/..."}, only: []string{"k8s.io/apimachinery/...", "api/..."}, direct: true,
			reason: "API types are imported by other projects, which must not inherit more than apimachinery",
		},
		{
			from: []string{"api/..."}, forbid: []string{"sigs.k8s.io/controller-runtime/...", "k8s.io/client-go/...", "internal/...", "cmd/..."},
			reason: "API types know neither clients nor the operator",
		},
		{
			from: []string{"internal/abi/...", "internal/text"}, only: []string{},
			reason: "the ABI is a document, and texts are text: they need nothing",
		},
		{
			from: []string{"internal/wasm/binary/..."}, only: []string{"internal/text"},
			reason: "reading untrusted bytes stays small enough to be fuzzed and reviewed",
		},
		{
			from: []string{"internal/wasm/meter/..."}, only: []string{"internal/wasm/binary/...", "internal/text"},
			reason: "rewriting untrusted bytes stays small enough to be fuzzed and reviewed",
		},
		{
			from: []string{"internal/plugin/..."}, forbid: []string{"internal/wasm/...", "internal/source/...", "internal/controller/..."},
			reason: "the domain knows neither its engine nor its users",
		},
		{
			from: allPackages, except: []string{"internal/wasm/...", "test/..."}, forbid: []string{wazero}, direct: true,
			reason: "only internal/wasm knows the WebAssembly runtime",
		},
		{
			from: allPackages, except: []string{"internal/wasm/...", "cmd/...", "hack/...", "test/..."}, forbid: []string{wazero},
			reason: "the runtime can be replaced without touching anything but internal/wasm and the wiring",
		},
		{
			from: []string{"internal/wasm/..."}, forbid: []string{"k8s.io/client-go/...", "sigs.k8s.io/controller-runtime/..."},
			reason: "the engine takes the small interface that internal/plugin defines",
		},
		{
			from: []string{"internal/access/rbac", "internal/access/audit"}, only: []string{"k8s.io/...", "github.com/go-logr/logr", "golang.org/x/sync/singleflight"}, direct: true,
			reason: "what a plugin is allowed, and the record of its requests, do not depend on how the requests are made",
		},
		{
			from: []string{"internal/controller/..."}, forbid: []string{"internal/wasm/..."},
			reason: "controllers see plugins through internal/plugin",
		},
		{
			from: []string{"internal/admission/..."}, forbid: []string{"internal/wasm/...", "internal/controller/..."},
			reason: "webhooks call plugins through internal/plugin",
		},
		{
			from: allPackages, except: []string{"internal/source/oci/...", "internal/testenv/registry"}, forbid: registryLibraries, direct: true,
			reason: "only internal/source/oci talks to registries, and the tests that push to them",
		},
		{
			from: allPackages, except: []string{"internal/source/oci/signature/...", "internal/testenv/sigstore"}, forbid: []string{"github.com/sigstore/..."}, direct: true,
			reason: "only internal/source/oci/signature knows what verifies signatures, and what makes them for tests",
		},
		{
			from: []string{"internal/source/..."}, except: []string{"internal/source/oci/..."}, forbid: registryLibraries,
			reason: "a source costs only those who use it",
		},
		{
			from: []string{"internal/source/oci/artifact"}, forbid: append([]string{"k8s.io/client-go/..."}, registryLibraries...),
			reason: "reading untrusted artifacts stays small enough to be fuzzed and reviewed",
		},
		{
			from: allPackages, except: []string{"internal/testenv/...", "test/..."}, forbid: []string{"internal/testenv/..."},
			reason: "the test environment is for tests",
		},
	}
}

const wazero = "github.com/tetratelabs/wazero/..."

var registryLibraries = []string{
	"oras.land/...", "github.com/google/go-containerregistry/...",
	"github.com/regclient/regclient/...", "github.com/containers/image/...",
}
