// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
)

// Definition is a plugin that the plugin directory defines.
type Definition struct {
	Name string
	// Places are the places of the definition. The first one contains the name.
	Places []Place
	// Spec is the complete spec, including the source.
	Spec pluginsv1alpha1.WasmPluginSpec
	// Version and Language are what the files declare. The module's own metadata take precedence.
	Version, Language string
}

// Place is a line of a file in the directory. Line is 0 for the whole file.
type Place struct {
	File string
	Line int
}

// String formats a place as compilers do.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Problem is an invalid file or entry in the directory. It takes precedence over a Definition of the same name, because
// a partial description must not be used as a complete one.
type Problem struct {
	// Name is the name of the affected plugin. It is empty if the file does not name it.
	Name string
	// File is the name of the file.
	File string
	// Whole means that the file could not be parsed at all, so that it may affect other plugins besides Name.
	Whole bool
	// Reason is a condition reason of the WasmPlugin API.
	Reason string
	// Message names the file and the line, and says how to fix it.
	Message string
}

// Found is the result of Discover.
type Found struct {
	Definitions []Definition
	Problems    []Problem
	// Incomplete means that a file that describes plugins could not be read. It is then unknown which modules it
	// describes, so modules without a description do not become plugins. Existing plugins stay.
	Incomplete bool
}
