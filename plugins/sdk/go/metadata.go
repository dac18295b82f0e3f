// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"slices"
	"strconv"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// Metadata returns the PluginMetadata that the operator reads, as JSON. The error has reason Invalid
// and says what is missing or wrong; a test that calls Metadata finds it before the operator does.
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

// problem returns what is wrong with a plugin, or nothing.
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
	seen := make(map[TypeReference]bool)
	for _, h := range p.Reconcilers {
		switch {
		case h.run == nil:
			return "a Handler is empty: make it with For or ForKind"
		case h.ref.APIVersion == "" || h.ref.Kind == "":
			return "a Handler has no apiVersion or no kind"
		case seen[h.ref]:
			return "two Handlers for " + h.ref.String()
		}
		seen[h.ref] = true
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

// write writes the PluginMetadata.
func (p *Plugin) write(e *json.Encoder) {
	e.BeginObject()
	e.Key("name").String(p.Name)
	e.Key("version").String(p.Version)
	optional(e, "author", p.Author)
	optional(e, "description", p.Description)
	e.Key("language").String("go")
	if len(p.Reconcilers) > 0 {
		e.Key("forTypes").BeginArray()
		for _, h := range p.Reconcilers {
			e.BeginObject()
			h.ref.WriteMembers(e)
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
	e.EndObject()
	if p.ConfigSchema != "" {
		e.Key("configSchema").Raw(p.ConfigSchema)
	}
	e.EndObject()
}

// allCapabilities returns what is declared and what follows from the handlers, each once.
func (p *Plugin) allCapabilities() []Capability {
	var all []Capability
	if len(p.Reconcilers) > 0 {
		all = append(all, CapabilityReconcile)
	}
	for _, c := range p.Capabilities {
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}

// optional writes a member unless it is empty.
func optional(e *json.Encoder, name, value string) {
	if value != "" {
		e.Key(name).String(value)
	}
}
