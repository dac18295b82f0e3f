// SPDX-License-Identifier: Apache-2.0

package category

// childrenOf returns the names of the Categories that name this one as their parent.
type childrenOf func(name string) ([]string, error)

// descendants returns the names of all Categories below one, each once. The one itself is among them
// if it is part of a cycle. It need not exist: Categories may wait for it.
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
