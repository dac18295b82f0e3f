// SPDX-License-Identifier: Apache-2.0

// Package settings implements the settings of a plugin: it merges the secrets of spec.settingsFrom into spec.settings,
// and checks the result against the schema that the module declares.
package settings
