// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is a YAML document with valid syntax, and the mistakes where it does not fit the format.
type document struct {
	root *yaml.Node
	// spans maps a path such as "plugins.0.name" to the lines of that node.
	spans    map[string]span
	mistakes []mistake
}

// span is the first and the last line of a node.
type span struct{ first, last int }

// mistake is a line that does not fit the format.
type mistake struct {
	line int
	text string
}

func mistakef(line int, format string, args ...any) *mistake {
	return &mistake{line: line, text: fmt.Sprintf(format, args...)}
}

// line returns the first line of a node, or 0 if there is no such node.
func (d document) line(path ...any) int { return d.spans[join(path...)].first }

// elements returns the elements of the list under a key of the document.
func (d document) elements(key string) []*yaml.Node {
	for _, top := range d.root.Content {
		if list := member(top, key); list != nil && list.Kind == yaml.SequenceNode {
			return list.Content
		}
	}
	return nil
}

// text returns the text under a key of the document, or "".
func (d document) text(key string) string {
	for _, top := range d.root.Content {
		return text(top, key)
	}
	return ""
}

// text returns the text under a key of a mapping, or "". It can read nodes that the decoder rejects.
func text(n *yaml.Node, key string) string {
	if v := member(n, key); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

func member(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func join(path ...any) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = fmt.Sprint(p)
	}
	return strings.Join(parts, ".")
}

// decodeStrict decodes one YAML document. Unknown keys and values of a wrong type are mistakes, and everything else is
// still decoded. If the text is not YAML, it returns an error that names the line.
func decodeStrict(content []byte, into any) (document, error) {
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true)
	err := d.Decode(into)
	var wrong *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		return document{}, errors.New("the file is empty")
	case err != nil && !errors.As(err, &wrong):
		return document{}, syntaxError(err)
	}
	var more yaml.Node
	if err := d.Decode(&more); err == nil {
		return document{}, fmt.Errorf("line %d: a second document; put each into a file of its own", more.Line)
	} else if !errors.Is(err, io.EOF) {
		return document{}, syntaxError(err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(content, &root); err != nil {
		return document{}, syntaxError(err)
	}
	doc := document{root: &root, spans: map[string]span{}}
	if wrong != nil {
		for _, e := range wrong.Errors {
			doc.mistakes = append(doc.mistakes, mistakeOf(e))
		}
	}
	for _, n := range root.Content {
		doc.measure(n, nil)
	}
	return doc, nil
}

// maxPath is the depth of the deepest path whose line is needed: "plugins.0.config.for_types.0".
const maxPath = 5

// measure records the lines of a node and of all nodes in it, and returns its last line.
func (d *document) measure(n *yaml.Node, path []any) int {
	last := n.Line
	below := func(part any, c *yaml.Node) {
		last = max(last, d.measure(c, append(path[:len(path):len(path)], part)))
	}
	switch n.Kind {
	case yaml.SequenceNode:
		for i, c := range n.Content {
			below(i, c)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			last = max(last, n.Content[i].Line)
			below(n.Content[i].Value, n.Content[i+1])
		}
	}
	if len(path) <= maxPath {
		d.spans[join(path...)] = span{n.Line, last}
	}
	return last
}

var lineOf = regexp.MustCompile(`^line (\d+): `)

// mistakeOf converts an error text of the library to a mistake, without the library's own terms.
func mistakeOf(text string) mistake {
	line := 1
	if m := lineOf.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits that do not fit into an int are 0
		text = text[len(m[0]):]
	}
	if before, _, ok := strings.Cut(text, " not found in type "); ok {
		text = strings.Replace(before, "field ", "unknown key ", 1)
	}
	if before, _, ok := strings.Cut(text, " already set in type "); ok {
		text = strings.Replace(before, "field ", "second key ", 1)
	}
	return mistake{line: line, text: text}
}

func syntaxError(err error) error { return errors.New(strings.TrimPrefix(err.Error(), "yaml: ")) }
