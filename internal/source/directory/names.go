// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// resolveNames joins the two parts of a plugin that both formats describe. It rejects all other definitions with the
// same name.
func (d *discovery) resolveNames() {
	byName := map[string][]Definition{}
	var names []string
	for _, def := range d.defined {
		if byName[def.Name] == nil {
			names = append(names, def.Name)
		}
		byName[def.Name] = append(byName[def.Name], def)
	}
	for _, name := range names {
		defs := byName[name]
		if joined, ok := joinHalves(defs); ok {
			d.found.Definitions = append(d.found.Definitions, joined)
			continue
		}
		places := make([]string, len(defs))
		for i, def := range defs {
			places[i] = def.Places[0].String()
		}
		d.found.Problems = append(d.found.Problems, Problem{
			Name: name, File: defs[0].Places[0].File, Reason: pluginsv1alpha1.ReasonDuplicateName,
			Message: fmt.Sprintf("plugin %q is defined %d times: %s; remove or rename all but one", name, len(defs), strings.Join(places, " and ")),
		})
	}
}

// joinHalves joins a wasm-plugins.yaml entry and a *-plugin.yaml for the same module into one definition. The kinds
// come from the former, the permissions from the latter. A single definition is returned as it is.
func joinHalves(defs []Definition) (Definition, bool) {
	switch {
	case len(defs) == 1:
		return defs[0], true
	case len(defs) != 2 || *defs[0].Spec.Source.File != *defs[1].Spec.Source.File:
		return Definition{}, false
	}
	use, may := defs[0], defs[1]
	if use.Places[0].File != filePlugins {
		use, may = may, use
	}
	if use.Places[0].File != filePlugins || !strings.HasSuffix(may.Places[0].File, suffixPlugin) {
		return Definition{}, false
	}
	use.Spec.Security = may.Spec.Security
	use.Version = may.Version
	use.Spec.ServiceAccountName = cmp.Or(may.Spec.ServiceAccountName, use.Spec.ServiceAccountName)
	use.Places = append(slices.Clone(use.Places), may.Places...)
	return use, true
}
