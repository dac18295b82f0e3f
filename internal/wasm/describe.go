// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"cmp"
	"context"
	"errors"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm/binary"
	"github.com/k1s-io/k1s/internal/wasm/compiler"
)

// Describe checks that a module is a plugin and returns its metadata. It reads the metadata from the custom section, or
// runs the module without a host, within the given limits. Errors are *plugin.LoadError or the error of the context.
func (e *Engine) Describe(ctx context.Context, module plugin.Module, limits plugin.Limits) (plugin.Metadata, error) {
	outside, err := e.checkOrigin(cmp.Or(module.Origin, "the source"), module.Bytes, limits)
	if err != nil {
		return plugin.Metadata{}, err
	}
	payload, err := e.metadata(ctx, module, outside, limits)
	if err != nil {
		return plugin.Metadata{}, err
	}
	m, err := plugin.ParseMetadata(payload)
	if err != nil {
		return plugin.Metadata{}, &plugin.LoadError{
			Reason: pluginsv1alpha1.ReasonInvalidMetadata, Message: "the module's metadata cannot be used: fix it as docs/spec/abi.md says", Err: err,
		}
	}
	if m.ABI != abi.Version {
		return plugin.Metadata{}, wrongVersion(m.ABI)
	}
	if err := checkMemory(uint64(m.MinMemoryPages), limits); err != nil {
		return plugin.Metadata{}, err
	}
	return m, checkCapabilities(outside, m.Capabilities)
}

// metadata returns the PluginMetadata JSON.
func (e *Engine) metadata(ctx context.Context, module plugin.Module, outside *binary.Module, limits plugin.Limits) ([]byte, error) {
	if section, ok := outside.Custom[abi.MetadataSection]; ok {
		return section, nil
	}
	if _, ok := outside.Export(abi.ExportMetadata); !ok {
		return nil, plugin.Reject(pluginsv1alpha1.ReasonInvalidMetadata,
			"the module has neither a custom section %q nor an export %q: add one", abi.MetadataSection, abi.ExportMetadata)
	}
	code, err := e.modules.Acquire(ctx, module.Digest, e.source(module, outside))
	if err != nil {
		return nil, loadError(ctx, pluginsv1alpha1.ReasonInvalidModule, notCompiled, err)
	}
	defer code.Release()
	in, err := e.instantiate(ctx, code, plugin.LoadRequest{Name: "metadata", Module: module, Limits: limits}, newOutputLimiter())
	if err != nil {
		return nil, err
	}
	defer in.close(ctx)
	run := in.enterFor(ctx, nil, e.initializeLimit(limits), limits.Fuel)
	defer run.end()
	payload, err := in.call(run, abi.ExportMetadata, nil)
	if err != nil {
		return nil, loadError(ctx, pluginsv1alpha1.ReasonInvalidMetadata, "the module's metadata could not be read: fix its k1s_metadata", err)
	}
	return payload, nil
}

func wrongVersion(got int32) error {
	return plugin.Reject(pluginsv1alpha1.ReasonUnsupportedABIVersion,
		"the module speaks guest ABI %d, this operator speaks %d: use a module or an operator of the other's version", got, abi.Version)
}

// loadError wraps a failure in a *plugin.LoadError. It returns the context's error if the caller canceled, because that
// failure is not caused by the module. The message is for failures that do not themselves describe a fix.
func loadError(ctx context.Context, reason, message string, err error) error {
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return ctx.Err()
	}
	if errors.Is(err, compiler.ErrProcess) {
		reason, message = pluginsv1alpha1.ReasonCompilerUnavailable, "the module could not be compiled for a reason that is not its own; the operator retries"
	}
	if over := (*errBudget)(nil); errors.As(err, &over) {
		return &plugin.LoadError{Reason: pluginsv1alpha1.ReasonLimitExceeded, Message: over.Error() + ": use fewer or smaller plugins, or ask the administrator for a higher limit"}
	}
	var proposal *binary.UnsupportedError
	if errors.As(err, &proposal) {
		return unsupported(reason, proposal, err)
	}
	return &plugin.LoadError{Reason: reason, Message: message, Err: err}
}
