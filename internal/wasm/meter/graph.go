// SPDX-License-Identifier: Apache-2.0

package meter

// graph is the call graph of the functions that the module defines. It has a node for each of them and one for each
// class of equal types, through which indirect calls go. It therefore has no more edges than the module has calls and
// functions whose address is taken.
type graph struct {
	first []int32 // the index of each node's first edge, and the number of edges at the end
	edges []int32
}

func (m *module) graph() graph {
	classes := 0
	for _, t := range m.types {
		classes = max(classes, int(t.class)+1)
	}
	imported, bodies := len(m.importedFuncs), len(m.bodies)
	g := graph{first: make([]int32, 0, bodies+classes+1)}
	for i := range m.bodies {
		g.first = append(g.first, int32(len(g.edges)))
		for _, e := range m.bodyEvents(i) {
			switch {
			case e.kind == eventCall && int(e.arg) >= imported:
				g.edges = append(g.edges, int32(int(e.arg)-imported))
			case e.kind == eventIndirect:
				g.edges = append(g.edges, int32(bodies+int(e.arg)))
			}
		}
	}
	byClass := make([][]int32, classes)
	for i, t := range m.funcs {
		if m.addressTaken[imported+i] {
			class := m.types[t].class
			byClass[class] = append(byClass[class], int32(i))
		}
	}
	for _, members := range byClass {
		g.first = append(g.first, int32(len(g.edges)))
		g.edges = append(g.edges, members...)
	}
	g.first = append(g.first, int32(len(g.edges)))
	return g
}

func (g *graph) nodes() int { return len(g.first) - 1 }

func (g *graph) callees(node int32) []int32 { return g.edges[g.first[node]:g.first[node+1]] }

// order returns the nodes in an order in which each node comes after all nodes that it calls, except for cycles, whose
// nodes are marked as cyclic. It implements Tarjan's algorithm with an explicit stack, because guests determine the
// depth.
func (g *graph) order(bodies int) (order []int32, cyclic []bool) {
	n := g.nodes()
	const unseen = -1
	index, low, next := make([]int32, n), make([]int32, n), make([]int32, n)
	onStack := make([]bool, n)
	cyclic = make([]bool, n)
	order = make([]int32, 0, n)
	for i := range index {
		index[i] = unseen
	}
	var count int32
	var path, stack []int32
	enter := func(v int32) {
		index[v], low[v], next[v] = count, count, g.first[v]
		count++
		path, stack = append(path, v), append(stack, v)
		onStack[v] = true
	}
	for root := range int32(n) {
		if index[root] != unseen {
			continue
		}
		enter(root)
		for len(path) > 0 {
			v := path[len(path)-1]
			if next[v] < g.first[v+1] {
				w := g.edges[next[v]]
				next[v]++
				switch {
				case index[w] == unseen:
					enter(w)
				case w == v:
					cyclic[v] = true
				case onStack[w]:
					low[v] = min(low[v], index[w])
				}
				continue
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				u := path[len(path)-1]
				low[u] = min(low[u], low[v])
			}
			if low[v] != index[v] {
				continue
			}
			from := len(stack) - 1
			for stack[from] != v {
				from--
			}
			component := stack[from:]
			stack = stack[:from]
			for _, w := range component {
				onStack[w] = false
				cyclic[w] = cyclic[w] || len(component) > 1
			}
			order = appendComponent(order, component, int32(bodies))
		}
	}
	return order, cyclic
}

// appendComponent appends the classes of a component before its functions. The functions of a component are all cyclic,
// so their order does not matter, but the callers of a class need to know what else the class calls.
func appendComponent(order, component []int32, bodies int32) []int32 {
	for _, w := range component {
		if w >= bodies {
			order = append(order, w)
		}
	}
	for _, w := range component {
		if w < bodies {
			order = append(order, w)
		}
	}
	return order
}
