// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decodeStrict reads one YAML document and refuses keys that the type does not have. Its errors name
// the line. The second result maps "a.0.b" to the line of that node.
func decodeStrict(text []byte, into any) (map[string]int, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty")
		}
		return nil, plain(err)
	}
	var more yaml.Node
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("line %d: a second document; put each into a file of its own", more.Line)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, plain(err)
	}
	lines := map[string]int{}
	collectLines(&root, "", lines)
	return lines, nil
}

// collectLines remembers where every node begins.
func collectLines(n *yaml.Node, path string, lines map[string]int) {
	lines[path] = n.Line
	join := func(part string) string {
		if path == "" {
			return part
		}
		return path + "." + part
	}
	switch n.Kind {
	case yaml.DocumentNode:
		for _, c := range n.Content {
			collectLines(c, path, lines)
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			collectLines(c, join(fmt.Sprint(i)), lines)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			collectLines(n.Content[i+1], join(n.Content[i].Value), lines)
		}
	}
}

// plain takes the library's words out of an error.
func plain(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n")
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		l = strings.TrimSpace(l)
		if before, _, ok := strings.Cut(l, " not found in type "); ok {
			l = strings.Replace(before, "field ", "unknown key ", 1)
		}
		lines[i] = l
	}
	return errors.New(strings.Join(lines, "; "))
}
