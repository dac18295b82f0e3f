// SPDX-License-Identifier: Apache-2.0

// Command item-validator is a k1s plugin that keeps the Items of a shop in order: it refuses those that break
// the shop's rules, or warns of them, and gives a category to those without one.
//
// # Rules
//
// They are in rules.go. An update is held against them only where it breaks a rule that the stored Item keeps:
// whoever corrects a price must not have to mend a name from before the plugin was there.
//
// Nothing is read from the cluster, so an answer depends on the Item and the settings alone, and the operator
// may remember it. Whether a category exists is therefore left to the Item controller, which says so in the
// condition CategoryResolved, also when the category goes or comes later.
//
// # Settings
//
//   - validation_level ("strict" or "lenient", default "strict"): whether rules refuse or warn.
//   - default_category (string, default ""): the category of Items without one; empty leaves them without.
package main

import (
	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

// version is set at build time with -ldflags "-X main.version=v1.1.0".
var version = "v1.0.0"

func init() { k1s.Register(plugin(new(settings))) }

// plugin returns what this module is; it reads its settings into s.
func plugin(s *settings) k1s.Plugin {
	return k1s.Plugin{
		Name:          "item-validator",
		Version:       version,
		Author:        "The k1s authors",
		Description:   "Holds Items against the rules of a shop, and gives them a category.",
		Admission:     []k1s.AdmissionHandler{validates(s), defaults(s)},
		Settings:      s,
		ConfigSchema:  settingsSchema,
		Deterministic: true,
	}
}

func main() {}
