// SPDX-License-Identifier: Apache-2.0

// Command item-validator implements a k1s plugin that validates the Items of a shop and sets defaults: it denies Items
// that violate the shop's rules, or warns of them, and sets the category of Items without one.
//
// # Rules
//
// The rules are in rules.go. On an update, a violation counts only if the stored Item satisfies the rule: to correct a
// price, a user must not have to fix a name that is older than the plugin.
//
// The plugin does not read from the cluster. A reply depends only on the Item and the settings, so the operator may
// cache it. The plugin therefore does not check whether a category exists. The Item controller does, and reports it in
// the condition CategoryResolved, also when the category is deleted or created later.
//
// # Settings
//
//   - validation_level ("strict" or "lenient", default "strict"): whether a violation denies the request or warns.
//   - default_category (string, default ""): the category of Items without one. Empty leaves them without one.
package main

import (
	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

// version is set at build time with -ldflags "-X main.version=v1.1.0".
var version = "v1.0.0"

func init() { k1s.Register(plugin(new(settings))) }

// plugin returns the plugin of this module. It decodes its settings into s.
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
