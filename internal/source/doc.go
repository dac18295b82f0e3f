// SPDX-License-Identifier: Apache-2.0

// Package source is what the sources of modules have in common: a size cap and the compressions that
// a module may be stored in. Each kind of source is a package below it.
package source
