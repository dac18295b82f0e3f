// SPDX-License-Identifier: Apache-2.0

// Package source implements what the sources of modules have in common: a size limit, and the compression formats in
// which a module may be stored. Each kind of source is a subpackage.
package source
