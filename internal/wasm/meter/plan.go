// SPDX-License-Identifier: Apache-2.0

package meter

// Parameters of metering. docs/adr/0010-metering.md has the measurements.
const (
	// hostCall is the cost of a call of an imported function. bulkCall is the cost of an instruction on many bytes or
	// elements, in addition to the bytes or elements themselves.
	hostCall = 128
	bulkCall = 16
	// StackSlack is how many bytes a chain of calls can take before one of its functions is counted. It is also the
	// maximum number of bytes that an entry from the host can take beyond ExportStack.
	StackSlack = 16 << 10
	// maxBacks is the maximum number of branches to a loop that are charged individually. A loop with more branches is
	// charged at its beginning.
	maxBacks = 2
	// maxCost is the maximum cost of a region, so that sums fit in 32 bits.
	maxCost = 1 << 30
)

// treatment describes how one function is metered.
type treatment struct {
	// counted reports whether the function subtracts stack bytes from ExportStack.
	counted bool
	stack   uint64
}

// plan decides how each function is metered. The stack of a function is counted only if it is part of a cycle in the
// call graph, or if an uncounted chain of calls would take more than StackSlack. A counted function counts its own
// stack and that of all functions that it calls, up to the next counted one.
func (m *module) plan() []treatment {
	g := m.graph()
	order, cyclic := g.order(len(m.bodies))
	plan := make([]treatment, len(m.bodies))
	uncounted := make([]uint64, g.nodes()) // the uncounted stack that a call of a node takes
	for _, v := range order {
		var below uint64
		for _, w := range g.callees(v) {
			below = max(below, uncounted[w])
		}
		if int(v) >= len(m.bodies) {
			uncounted[v] = below
			continue
		}
		t := &plan[v]
		t.stack = m.bodies[v].frame + below
		t.counted = cyclic[v] || t.stack > StackSlack
		if !t.counted {
			uncounted[v] = t.stack
		}
	}
	for i := range m.bodies {
		m.costs(i)
	}
	return plan
}

// costs adds the costs that depend on events, and the first iterations of loops, to the regions of a function.
func (m *module) costs(i int) {
	for _, e := range m.bodyEvents(i) {
		switch {
		case e.kind == eventCall && int(e.arg) < len(m.importedFuncs):
			m.addCost(i, e.region, hostCall)
		case e.kind >= eventBulk:
			m.addCost(i, e.region, bulkCall)
		}
	}
	// The first iteration of a loop is charged with the region around it, unless the loop is charged at its beginning.
	loops := m.bodyLoops(i)
	for k := len(loops) - 1; k >= 0; k-- {
		l := &loops[k]
		l.header = l.header || l.backs > maxBacks
		if !l.header {
			m.addCost(i, l.around, l.cost)
		}
	}
}

// addCost adds a cost to a region of a function.
func (m *module) addCost(i int, region, cost uint32) {
	sum := &m.bodies[i].entry
	if region != noLoop {
		sum = &m.loops[region].cost
	}
	*sum = min(*sum+cost, maxCost)
}

// bodyEvents returns the events of a body.
func (m *module) bodyEvents(i int) []event {
	to := len(m.events)
	if i+1 < len(m.bodies) {
		to = m.bodies[i+1].events
	}
	return m.events[m.bodies[i].events:to]
}

// bodyLoops returns the loops of a body.
func (m *module) bodyLoops(i int) []loop {
	to := len(m.loops)
	if i+1 < len(m.bodies) {
		to = m.bodies[i+1].loops
	}
	return m.loops[m.bodies[i].loops:to]
}
