// SPDX-License-Identifier: Apache-2.0

// Package wasm is the engine: it checks WebAssembly modules against the guest ABI, compiles them
// once per digest, keeps a pool of instances for each revision and answers their host calls. It is
// the only package that knows wazero, and it knows no cluster: what a guest can reach comes in as
// plugin.Host.
package wasm
