// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// Definition is a plugin as the directory defines it.
type Definition struct {
	Name string
	// Places are where it is defined; the first is the one that names it.
	Places []Place
	// Spec is complete, with its source.
	Spec pluginsv1alpha1.WasmPluginSpec
	// Version and Language are what the files say; the module's own metadata says what is so.
	Version, Language string
}

// Place is a line of a file in the directory; Line is 0 for the file as a whole.
type Place struct {
	File string
	Line int
}

// String writes a place as compilers do.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Problem is something in the directory that cannot be used. It goes before a Definition of the same
// name: half of what describes a plugin is not to be taken for the whole.
type Problem struct {
	// Name is the plugin that it concerns; empty if the file does not tell.
	Name string
	// File is where it is.
	File string
	// Whole says that nothing of the file could be read, so that it may concern others than Name too.
	Whole bool
	// Reason is a condition reason of the WasmPlugin API.
	Reason string
	// Message names file and line, and says what to do.
	Message string
}

// Found is what a directory holds.
type Found struct {
	Definitions []Definition
	Problems    []Problem
	// Incomplete says that a file which describes plugins could not be read. Then nobody knows which
	// modules it describes, and modules make no plugins of their own: what was made of them before stays.
	Incomplete bool
}
