// SPDX-License-Identifier: Apache-2.0

package category

// childrenOf returns the names of the Categories whose parent has the given name.
type childrenOf func(name string) ([]string, error)

// descendants returns the names of all Categories below a name, each once. The name itself is among them if it is part
// of a cycle. Its Category need not exist: other Categories can name it as their parent before it is created.
func descendants(name string, children childrenOf) ([]string, error) {
	var found []string
	seen := map[string]bool{}
	for open := []string{name}; len(open) > 0; {
		next, rest := open[0], open[1:]
		open = rest
		below, err := children(next)
		if err != nil {
			return nil, err
		}
		for _, child := range below {
			if !seen[child] {
				seen[child] = true
				found = append(found, child)
				open = append(open, child)
			}
		}
	}
	return found, nil
}
