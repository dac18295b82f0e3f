// SPDX-License-Identifier: Apache-2.0

package meter

// What decides how a module is metered. docs/adr/0010-metering.md has the measurements.
const (
	// hostCall and bulkCall are what a call of an imported function costs, and an instruction that
	// works on many bytes or elements, besides the bytes or elements themselves.
	hostCall = 128
	bulkCall = 16
	// StackSlack is how many bytes a chain of calls may take before one of its functions counts: so
	// much, and no more, an entry from the host may take beyond what ExportStack says.
	StackSlack = 16 << 10
	// maxBacks is how many branches to a loop are charged each by itself. With more, it is charged where
	// it begins.
	maxBacks = 2
	// maxCost is the most that a region costs, so that sums stay within 32 bits.
	maxCost = 1 << 30
)

// treatment says how one function is metered.
type treatment struct {
	// counted functions take this many bytes off ExportStack.
	counted bool
	stack   uint64
}

// plan says how each function is metered. What calls of a function take of the stack is only counted
// where a chain of calls has no end that is known: in cycles, and where it would be longer than
// StackSlack. A counted function counts for itself and all it calls up to the next counted one.
func (m *module) plan() []treatment {
	g := m.graph()
	order, cyclic := g.order(len(m.bodies))
	plan := make([]treatment, len(m.bodies))
	uncounted := make([]uint64, g.nodes()) // what a call of a node takes
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

// costs adds to a function's regions what is not an instruction of theirs.
func (m *module) costs(i int) {
	for _, e := range m.bodyEvents(i) {
		switch {
		case e.kind == eventCall && int(e.arg) < len(m.importedFuncs):
			m.addCost(i, e.region, hostCall)
		case e.kind >= eventBulk:
			m.addCost(i, e.region, bulkCall)
		}
	}
	// The first time round, a loop is charged with what is around it, unless it is charged where it begins.
	loops := m.bodyLoops(i)
	for k := len(loops) - 1; k >= 0; k-- {
		l := &loops[k]
		l.header = l.header || l.backs > maxBacks
		if !l.header {
			m.addCost(i, l.around, l.cost)
		}
	}
}

// addCost adds to what a region of a function costs.
func (m *module) addCost(i int, region, cost uint32) {
	sum := &m.bodies[i].entry
	if region != noLoop {
		sum = &m.loops[region].cost
	}
	*sum = min(*sum+cost, maxCost)
}

// bodyEvents are the events of a body.
func (m *module) bodyEvents(i int) []event {
	to := len(m.events)
	if i+1 < len(m.bodies) {
		to = m.bodies[i+1].events
	}
	return m.events[m.bodies[i].events:to]
}

// bodyLoops are the loops of a body.
func (m *module) bodyLoops(i int) []loop {
	to := len(m.loops)
	if i+1 < len(m.bodies) {
		to = m.bodies[i+1].loops
	}
	return m.loops[m.bodies[i].loops:to]
}
