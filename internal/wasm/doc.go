// SPDX-License-Identifier: Apache-2.0

// Package wasm implements the WebAssembly runtime of k1s. It checks modules against the guest ABI, compiles them once
// per digest, keeps a pool of instances for each revision and answers their host calls. It is the only package that
// uses wazero, and it does not access the cluster: it reaches what a guest may use through plugin.Host.
package wasm
