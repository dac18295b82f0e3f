// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/k1s-io/k1s/internal/plugin"
)

const (
	// maxExplained is the maximum number of violations in a message, maxSentence the maximum size of each sentence in
	// bytes.
	maxExplained, maxSentence = 50, 512
	// maxListed is the maximum number of list items that are quoted, maxQuoted the maximum number of quoted bytes of a
	// text.
	maxListed, maxQuoted = 30, 256
)

// explain returns one sentence for each leaf of a validation error. The sentences are sorted, so that the result is
// always the same. If there are more than maxExplained, it returns the first ones. The argument root names the
// validated value. For members that are secrets, a sentence names only the rule that they violate.
func explain(root string, e *jsonschema.ValidationError, secrets ...Secret) []string {
	x := &explanation{first: first{limit: maxExplained}, secrets: secrets, redact: RedactorOf(secrets), printer: message.NewPrinter(language.English)}
	x.leaves(root, e)
	if x.more {
		return append(x.items, "and more")
	}
	return x.items
}

// explanation collects the sentences of explain.
type explanation struct {
	first

	secrets []Secret
	redact  *plugin.Redactor
	printer *message.Printer
}

func (x *explanation) leaves(root string, e *jsonschema.ValidationError) {
	if name, ok := e.ErrorKind.(*kind.PropertyNames); ok {
		// The causes are about the name, but do not contain it.
		root += ": the member name " + x.cut(name.Property, maxQuoted)
	}
	for _, cause := range e.Causes {
		x.leaves(root, cause)
	}
	if len(e.Causes) > 0 {
		return
	}
	at := x.location(root, e.InstanceLocation)
	if x.passes(at) {
		return
	}
	if path := e.InstanceLocation; len(path) > 0 && slices.ContainsFunc(x.secrets, func(s Secret) bool { return s.As == path[0] }) {
		rule := "rule" // some rules have no name
		if keyword := e.ErrorKind.KeywordPath(); len(keyword) > 0 {
			rule = fmt.Sprintf("%q", x.cut(strings.Join(keyword, "."), maxQuoted))
		}
		x.add(at + ": breaks the schema's " + rule + " (its value is a secret, and not shown)")
		return
	}
	if _, ok := e.ErrorKind.(*kind.FalseSchema); ok {
		x.add(at + ": not allowed")
		return
	}
	x.add(x.cut(at+": "+x.brief(e.ErrorKind).LocalizedString(x.printer), maxSentence))
}

// location returns the path of a value for a message.
func (x *explanation) location(root string, path []string) string {
	at := root
	for _, part := range path {
		if at += "." + x.cut(part, maxQuoted); len(at) > maxSentence/2 {
			return x.cut(at, maxSentence/2)
		}
	}
	return at
}

// brief returns an error kind whose text is short. Values and lists may be as long as the settings, and every error
// contains them.
func (x *explanation) brief(e jsonschema.ErrorKind) jsonschema.ErrorKind {
	switch k := e.(type) {
	case *kind.AdditionalProperties: // they are in map order
		sorted := first{limit: maxListed}
		for _, name := range k.Properties {
			sorted.add(name)
		}
		if sorted.more {
			sorted.items = append(sorted.items, "…")
		}
		return &kind.AdditionalProperties{Properties: x.listed(sorted.items)}
	case *kind.Required:
		return &kind.Required{Missing: x.listed(k.Missing)}
	case *kind.Dependency:
		return &kind.Dependency{Prop: x.cut(k.Prop, maxQuoted), Missing: x.listed(k.Missing)}
	case *kind.DependentRequired:
		return &kind.DependentRequired{Prop: x.cut(k.Prop, maxQuoted), Missing: x.listed(k.Missing)}
	case *kind.Enum:
		want := k.Want
		if len(want) > maxListed+1 {
			want = append(slices.Clone(want[:maxListed]), any("…"))
		}
		out := &kind.Enum{}
		for _, v := range want {
			out.Want = append(out.Want, x.quotable(v))
		}
		return out
	case *kind.Const:
		return &kind.Const{Want: x.quotable(k.Want)}
	case *kind.Pattern:
		return &kind.Pattern{Got: x.cut(k.Got, maxQuoted), Want: x.cut(k.Want, maxQuoted)}
	case *kind.Format:
		return &kind.Format{Got: x.quotable(k.Got), Want: k.Want, Err: k.Err}
	}
	return e
}

// listed returns the first items of a list, each cut to its first bytes.
func (x *explanation) listed(texts []string) []string {
	var out []string
	for i, text := range texts {
		if i == maxListed && len(texts) > maxListed+1 {
			return append(out, "…")
		}
		out = append(out, x.cut(text, maxQuoted))
	}
	return out
}

// quotable returns a value. Of a text it returns the first bytes.
func (x *explanation) quotable(v any) any {
	if text, ok := v.(string); ok {
		return x.cut(text, maxQuoted)
	}
	return v
}

// cut returns the beginning of a text. A secret at the position of the cut is left out.
func (x *explanation) cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return x.redact.Truncate(text, limit)
}

// first collects the first of some texts in sorted order, without duplicates.
type first struct {
	items []string
	limit int
	// more reports whether texts were left out.
	more bool
}

// passes reports whether every text with the given prefix would be sorted after the collected ones, while there is no
// room left.
func (f *first) passes(text string) bool {
	if len(f.items) < f.limit || text <= f.items[len(f.items)-1] {
		return false
	}
	f.more = true
	return true
}

func (f *first) add(text string) {
	if f.passes(text) {
		return
	}
	i, found := slices.BinarySearch(f.items, text)
	if found {
		return
	}
	if len(f.items) == f.limit {
		f.items, f.more = f.items[:f.limit-1], true
	}
	f.items = slices.Insert(f.items, i, text)
}

// hasCycle reports whether the validation ended because of a reference cycle in the schema.
func hasCycle(e *jsonschema.ValidationError) bool {
	if _, ok := e.ErrorKind.(*kind.RefCycle); ok {
		return true
	}
	return slices.ContainsFunc(e.Causes, hasCycle)
}
