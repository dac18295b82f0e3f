// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strconv"
	"strings"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

// The condition and its reasons.
const (
	conditionType        = "DepthWithinLimit"
	reasonWithinLimit    = "WithinLimit"
	reasonTooDeep        = "TooDeep"
	reasonParentNotFound = "ParentNotFound"
	reasonCycle          = "Cycle"
)

// maxPath is how long status.path may be: the Category's schema allows no more.
const maxPath = 4096

// place is where a category stands in its hierarchy, as far as the specs of its ancestors tell. The
// text is part of it: the same place must give the same condition whoever computes it, or two reconciles
// would overwrite each other for ever.
type place struct {
	// reason is empty for a category whose ancestors lead to a root; only then depth and path count.
	reason string
	text   string
	depth  int32
	path   string
}

// root returns the place of a category without a parent.
func root(name string) place { return place{path: name} }

// orphan returns the place of a category whose parent does not exist.
func orphan(name, parent, why string) place {
	text := `The parent "` + parent + `" of category "` + name + `" does not exist`
	if why != "" {
		text += ": " + why
	}
	return place{reason: reasonParentNotFound, text: text}
}

// circle returns the place of a category whose ancestors lead to no root. The members are those of the
// circle, in the order from child to parent; wherever it is entered, the message begins with the member
// whose name comes first.
func circle(members []string) place {
	first := slices.Index(members, slices.Min(members))
	ordered := slices.Concat(members[first:], members[:first], members[first:first+1])
	return place{reason: reasonCycle, text: "Circle of parents: " + strings.Join(ordered, " → ")}
}

// child returns the place of a category whose parent stands at p.
func (p place) child(name string) place {
	if p.reason != "" {
		return p // what is wrong above is wrong below
	}
	next := place{depth: p.depth + 1, path: p.path + "/" + name}
	if len(next.path) > maxPath {
		return place{reason: reasonTooDeep, text: "The path is longer than " + strconv.Itoa(maxPath) + " characters"}
	}
	return next
}

// condition returns what the condition says of a place, but for its time.
//
// It carries no observedGeneration: it depends on the specs of all ancestors, so the category's own
// generation would promise too much.
func (p place) condition(maxDepth int64) k1s.Condition {
	c := k1s.Condition{Type: conditionType, Status: k1s.ConditionFalse, Reason: p.reason, Message: p.text}
	switch {
	case p.reason != "":
	case int64(p.depth) > maxDepth:
		c.Reason = reasonTooDeep
		c.Message = "Depth " + strconv.Itoa(int(p.depth)) + " is above " + limitText(maxDepth)
	default:
		c.Status, c.Reason = k1s.ConditionTrue, reasonWithinLimit
		c.Message = "The depth is within " + limitText(maxDepth)
	}
	return c
}

func limitText(maxDepth int64) string {
	return "the limit of " + strconv.FormatInt(maxDepth, 10) + " (max_depth)"
}
