// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"strings"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

// validates returns the handler that validates Items when they are created and updated. It does not handle deletions.
func validates(s *settings) k1s.AdmissionHandler {
	return k1s.Validate(k1s.Validator[*item]{
		Create: func(_ context.Context, i *item) (k1s.Warnings, error) { return s.check(i, i.broken()) },
		Update: func(_ context.Context, old, i *item) (k1s.Warnings, error) {
			before := old.broken()
			found := slices.DeleteFunc(i.broken(), func(rule string) bool { return slices.Contains(before, rule) })
			return s.check(i, append(found, i.brokenBy(old)...))
		},
	})
}

// check denies an Item with all rules that it violates, or returns them as warnings.
func (s *settings) check(i *item, found []string) (k1s.Warnings, error) {
	if len(found) > 0 && !s.lenient {
		return nil, k1s.Invalid(strings.Join(found, "; "))
	}
	warnings := k1s.Warnings(found)
	if i.price == 0 && i.quantity > 0 && !i.is(tagDiscontinued) && !strings.HasPrefix(i.category, premium) {
		warnings = append(warnings, "spec.price is not set: the item is in stock and cannot be sold")
	}
	return warnings, nil
}

// defaults returns the handler that sets the category of Items.
func defaults(s *settings) k1s.AdmissionHandler {
	return k1s.Default(func(_ context.Context, i *item) error {
		if i.category == "" {
			i.category = s.defaultCategory
		}
		return nil
	})
}
