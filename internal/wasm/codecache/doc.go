// SPDX-License-Identifier: Apache-2.0

// Package codecache implements the caches of compiled modules: Modules holds the native code that is in use, and Dir is
// the directory that keeps native code and metered modules across restarts.
package codecache
