// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"slices"
	"strconv"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Metadata returns the PluginMetadata for the operator, as JSON. An error has the reason Invalid and says what is
// missing or wrong. A test that calls Metadata finds such errors before the operator does.
func (p *Plugin) Metadata() ([]byte, error) {
	if problem := p.problem(); problem != "" {
		return nil, NewError(ReasonInvalid, "plugin "+quote(p.Name)+": "+problem)
	}
	var e json.Encoder
	p.write(&e)
	text := e.Bytes()
	if len(text) > host.MaxMetadata {
		return nil, NewError(ReasonInvalid, "plugin "+quote(p.Name)+": metadata has "+strconv.Itoa(len(text))+
			" bytes, at most "+strconv.Itoa(host.MaxMetadata)+" are allowed")
	}
	return text, nil
}

// problem returns what is wrong with a plugin, or "".
func (p *Plugin) problem() string {
	if p.Name == "" {
		return "Name is empty"
	}
	if p.Version == "" {
		return "Version is empty"
	}
	if p.MaxBatch < 0 || p.MaxBatch > maxBatch {
		return "MaxBatch is " + strconv.Itoa(p.MaxBatch) + ", want 0 to " + strconv.Itoa(maxBatch)
	}
	if problem := handlersProblem(p.Reconcilers, "For"); problem != "" {
		return problem
	}
	if problem := handlersProblem(p.Finalizers, "Finalize"); problem != "" {
		return problem
	}
	if problem := p.admissionProblem(); problem != "" {
		return problem
	}
	if p.ConfigSchema != "" {
		d := json.NewDecoder(string(p.ConfigSchema))
		if d.Kind() != json.KindObject {
			return "ConfigSchema is not a JSON object"
		}
		d.Skip()
		if err := d.End(); err != nil {
			return "ConfigSchema: " + err.Error()
		}
	}
	return ""
}

// handlersProblem returns what is wrong with handlers, or "". The argument maker is the function that returns such
// handlers.
func handlersProblem(handlers []Handler, maker string) string {
	for i, h := range handlers {
		switch {
		case h.run == nil:
			return "a Handler is empty: make it with " + maker + " or " + maker + "Kind"
		case h.ref.APIVersion == "" || h.ref.Kind == "":
			return "a Handler has no apiVersion or no kind"
		case slices.ContainsFunc(handlers[:i], func(other Handler) bool { return other.ref == h.ref }):
			return "two Handlers for " + h.ref.String()
		}
	}
	return ""
}

// admissionProblem returns what is wrong with the admission handlers, or "".
func (p *Plugin) admissionProblem() string {
	for i, h := range p.Admission {
		switch {
		case len(h.operations) == 0:
			return "an AdmissionHandler is empty: make it with Validate, Default or Admit, and give it a function"
		case h.ref.APIVersion == "" || h.ref.Kind == "":
			return "an AdmissionHandler has no apiVersion or no kind"
		case slices.ContainsFunc(p.Admission[:i], func(other AdmissionHandler) bool {
			return other.ref == h.ref && other.capability == h.capability
		}):
			return "two AdmissionHandlers of the capability " + string(h.capability) + " for " + h.ref.String()
		}
	}
	return ""
}

// write encodes the PluginMetadata.
func (p *Plugin) write(e *json.Encoder) {
	e.BeginObject()
	e.Key("name").String(p.Name)
	e.Key("version").String(p.Version)
	optional(e, "author", p.Author)
	optional(e, "description", p.Description)
	e.Key("language").String("go")
	if kinds := p.kinds(); len(kinds) > 0 {
		e.Key("forTypes").BeginArray()
		for _, kind := range kinds {
			e.BeginObject()
			kind.WriteMembers(e)
			e.EndObject()
		}
		e.EndArray()
	}
	e.Key("capabilities").BeginArray()
	for _, c := range p.allCapabilities() {
		e.String(string(c))
	}
	e.EndArray()
	e.Key("runtime").BeginObject()
	e.Key("abi").Int(host.ABIVersion)
	if p.MinMemoryPages > 0 {
		e.Key("minMemoryPages").Int(int64(p.MinMemoryPages))
	}
	if p.MaxBatch > 0 {
		e.Key("maxBatch").Int(int64(p.MaxBatch))
	}
	if p.Deterministic {
		e.Key("deterministic").Bool(true)
	}
	e.EndObject()
	p.writeAdmission(e)
	if p.ConfigSchema != "" {
		e.Key("configSchema").Raw(p.ConfigSchema)
	}
	e.EndObject()
}

// allCapabilities returns the declared capabilities and those that the handlers imply, without duplicates.
func (p *Plugin) allCapabilities() []Capability {
	var all []Capability
	add := func(c Capability) {
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	if len(p.Reconcilers) > 0 {
		add(CapabilityReconcile)
	}
	if len(p.Finalizers) > 0 {
		add(CapabilityFinalization)
	}
	for _, h := range p.Admission {
		add(h.capability)
	}
	for _, c := range p.Capabilities {
		add(c)
	}
	return all
}

// kinds returns the kinds of all handlers, without duplicates.
func (p *Plugin) kinds() []TypeReference {
	var all []TypeReference
	add := func(kind TypeReference) {
		if !slices.Contains(all, kind) {
			all = append(all, kind)
		}
	}
	for _, h := range p.Reconcilers {
		add(h.ref)
	}
	for _, h := range p.Finalizers {
		add(h.ref)
	}
	for _, h := range p.Admission {
		add(h.ref)
	}
	return all
}

// isFor reports whether the plugin has a handler for a kind.
func (p *Plugin) isFor(kind TypeReference) bool { return slices.Contains(p.kinds(), kind) }

// writeAdmission writes the operations that the plugin handles. Every module exports the functions for all operations,
// so only this list prevents useless admission requests.
func (p *Plugin) writeAdmission(e *json.Encoder) {
	if len(p.Admission) == 0 {
		return
	}
	e.Key("admission").BeginObject()
	e.Key("operations").BeginArray()
	for _, operation := range []Operation{OperationCreate, OperationUpdate, OperationDelete} {
		if slices.ContainsFunc(p.Admission, func(h AdmissionHandler) bool { return slices.Contains(h.operations, operation) }) {
			e.String(string(operation))
		}
	}
	e.EndArray()
	e.EndObject()
}

// optional writes a member unless its value is empty.
func optional(e *json.Encoder, name, value string) {
	if value != "" {
		e.Key(name).String(value)
	}
}
