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

// maxPath is the maximum length of status.path in the Category's schema.
const maxPath = 4096

// place is the place of a category in its hierarchy, computed from the specs of its ancestors. It includes the text of
// the condition: every reconcile must compute the same condition for the same place, or two reconciles would overwrite
// each other's status forever.
type place struct {
	// reason is empty for a category whose ancestors lead to a root. Only then do depth and path have a meaning.
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

// circle returns the place of a category whose ancestors lead to a cycle and not to a root. The members are those of
// the cycle, in the order from child to parent. The message begins with the first member in alphabetical order,
// wherever the walk entered the cycle.
func circle(members []string) place {
	first := slices.Index(members, slices.Min(members))
	ordered := slices.Concat(members[first:], members[:first], members[first:first+1])
	return place{reason: reasonCycle, text: "Circle of parents: " + strings.Join(ordered, " → ")}
}

// child returns the place of a category whose parent is at p.
func (p place) child(name string) place {
	if p.reason != "" {
		return p // a problem of an ancestor applies to all descendants
	}
	next := place{depth: p.depth + 1, path: p.path + "/" + name}
	if len(next.path) > maxPath {
		return place{reason: reasonTooDeep, text: "The path is longer than " + strconv.Itoa(maxPath) + " characters"}
	}
	return next
}

// condition returns the condition of a place, without its time.
//
// It has no observedGeneration, because it depends on the specs of all ancestors and not only on the category's own
// generation.
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
