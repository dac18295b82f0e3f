// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

const (
	// maxExplained is how many things that are wrong are told, maxSentence how many bytes each takes.
	maxExplained, maxSentence = 50, 512
	// maxListed is how many of a list are, maxQuoted how many bytes of a text are quoted.
	maxListed, maxQuoted = 30, 256
)

// explain returns one sentence for each leaf of a validation error, sorted so that it is always the
// same; of more than maxExplained, the first ones. What was validated is named by root. Of members that are secrets only the rule is told that they break.
func explain(root string, e *jsonschema.ValidationError, secrets ...Secret) []string {
	x := &explanation{first: first{limit: maxExplained}, secrets: secrets, redact: RedactorOf(secrets), printer: message.NewPrinter(language.English)}
	x.leaves(root, e)
	if x.more {
		return append(x.items, "and more")
	}
	return x.items
}

// explanation gathers the sentences of an explain.
type explanation struct {
	first

	secrets []Secret
	redact  *Redactor
	printer *message.Printer
}

func (x *explanation) leaves(root string, e *jsonschema.ValidationError) {
	if name, ok := e.ErrorKind.(*kind.PropertyNames); ok {
		// The causes are about the name, and do not say which.
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
		rule := "rule" // some have no name
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

// location says where something is.
func (x *explanation) location(root string, path []string) string {
	at := root
	for _, part := range path {
		if at += "." + x.cut(part, maxQuoted); len(at) > maxSentence/2 {
			return x.cut(at, maxSentence/2)
		}
	}
	return at
}

// brief returns a kind of error whose text is short. Values and lists may be as long as the settings, and every error has them.
func (x *explanation) brief(e jsonschema.ErrorKind) jsonschema.ErrorKind {
	switch k := e.(type) {
	case *kind.AdditionalProperties: // they come in the order of a map
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

// listed returns the beginning of a list, and of its texts.
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

// quotable returns a value, of texts the beginning.
func (x *explanation) quotable(v any) any {
	if text, ok := v.(string); ok {
		return x.cut(text, maxQuoted)
	}
	return v
}

// cut returns the beginning of a text. A secret that the cut goes through is left out.
func (x *explanation) cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(x.redact.Cut(text, limit), "") + "…"
}

// first are the first ones of some texts in their order, each once.
type first struct {
	items []string
	limit int
	// more reports whether there were others.
	more bool
}

// passes reports whether a text, whatever it goes on with, comes behind those that there is room for.
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

// hasCycle reports whether a validation ended because the schema leads back to where it was.
func hasCycle(e *jsonschema.ValidationError) bool {
	if _, ok := e.ErrorKind.(*kind.RefCycle); ok {
		return true
	}
	return slices.ContainsFunc(e.Causes, hasCycle)
}
