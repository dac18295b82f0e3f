// SPDX-License-Identifier: Apache-2.0

package meter

import "strings"

// restorable sets out.Restorable to whether a copy of the memory and of the mutable globals is the complete state of an
// instance, and out.WhyNot to the reasons if it is not.
func (m *module) restorable(out *Output) {
	var why []string
	note := func(is bool, what string) {
		if is {
			why = append(why, what)
		}
	}
	note(m.memories == 0, "has no memory of its own")
	note(m.importedTables > 0, "imports a table")
	note(m.tableWrites, "writes to tables")
	note(m.elemDrops, "drops element segments")
	note(m.dataDrops, "drops data segments")
	note(!m.plainData, "has data whose place is not a constant")
	for _, g := range m.importedGlobals {
		if g.mutable {
			note(true, "imports a mutable global")
			break
		}
	}
	for _, g := range m.globals {
		if g.mutable && (isReference(g.typ) || g.typ == typeV128) {
			note(true, "has mutable globals that are vectors or references")
			break
		}
	}
	out.WhyNot = strings.Join(why, "; ")
	out.Restorable = out.WhyNot == ""
}
