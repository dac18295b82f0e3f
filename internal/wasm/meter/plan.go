// SPDX-License-Identifier: Apache-2.0

package meter

// What decides how a module is metered. docs/adr/0010-metering.md has the measurements.
const (
	// quantum is how many instructions a function with loops runs on a counter of its own before it
	// settles with the fuel that all functions share.
	quantum = 4096
	// hostCall and bulkCall are what a call of an imported function costs, and an instruction that
	// works on many bytes or elements, besides the bytes or elements themselves.
	hostCall = 128
	bulkCall = 16
	// smallest is how many instructions a function may run, with all it calls, to be charged to its
	// callers.
	smallest = 32
	// StackSlack is how many bytes a chain of calls may take before one of its functions counts: so
	// much, and no more, an entry from the host may take beyond what ExportStack says.
	StackSlack = 16 << 10
	// unsettled is how many functions with counters of their own may stand in a chain of calls before
	// one of them pays its quantum in advance.
	unsettled = 16
	// maxBacks is how many branches to a loop are charged each by itself. With more, it is charged where
	// it begins.
	maxBacks = 2
	// maxCost is the most that a region costs, so that a counter of 32 bits holds it.
	maxCost = 1 << 30
)

// treatment says how one function is metered.
type treatment struct {
	// settles says that it has loops that count on a counter of its own.
	settles bool
	// free functions are charged to their callers.
	free bool
	// counted functions take stack off ExportStack and, if they settle, pay a quantum in advance.
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
	stack, waiting := make([]uint64, g.nodes()), make([]int, g.nodes()) // what a call of a node takes uncounted
	for _, v := range order {
		var below uint64
		depth := 0
		for _, w := range g.callees(v) {
			below = max(below, stack[w])
			depth = max(depth, waiting[w])
		}
		if int(v) >= len(m.bodies) {
			stack[v], waiting[v] = below, depth
			continue
		}
		b, t := &m.bodies[v], &plan[v]
		repeats := m.markLoops(int(v), plan)
		t.settles = repeats == ownCounter
		if t.settles {
			depth++
		}
		t.stack = b.frame + below
		t.counted = cyclic[v] || t.stack > StackSlack || depth > unsettled
		if !t.counted {
			stack[v], waiting[v] = t.stack, depth
		}
		m.chargeCalls(int(v), plan)
		index := len(m.importedFuncs) + int(v)
		t.free = repeats == never && !t.counted && b.entry <= smallest && !m.hasBulk(int(v)) &&
			!m.exported[index] && !m.addressTaken[index]
	}
	return plan
}

// repetition is what loops a function has.
type repetition int

const (
	never      repetition = iota // none that repeats
	sharedFuel                   // only such as call
	ownCounter                   // such as do not
)

// markLoops decides where each loop of a function is charged, and to what.
func (m *module) markLoops(i int, plan []treatment) (r repetition) {
	for _, e := range m.bodyEvents(i) {
		if e.region != noLoop && m.charges(e, plan) {
			m.loops[e.region].calls = true
		}
	}
	loops := m.bodyLoops(i)
	for k := len(loops) - 1; k >= 0; k-- {
		l := &loops[k]
		l.header = l.header || l.backs > maxBacks
		if l.calls && l.around != noLoop {
			m.loops[l.around].calls = true
		}
		switch {
		case l.backs == 0:
		case l.calls:
			r = max(r, sharedFuel)
		default:
			r = ownCounter
		}
	}
	return r
}

// charges says whether an event is a call of a function that charges itself, or of the host.
func (m *module) charges(e event, plan []treatment) bool {
	callee := int(e.arg) - len(m.importedFuncs)
	return e.kind == eventIndirect || e.kind == eventCall && (callee < 0 || !plan[callee].free)
}

// chargeCalls adds to a function's regions what its calls cost: those of the host, and of functions that
// do not charge themselves. The latter come before it in the order.
func (m *module) chargeCalls(i int, plan []treatment) {
	imported := len(m.importedFuncs)
	for _, e := range m.bodyEvents(i) {
		switch e.kind {
		case eventCall:
			if callee := int(e.arg) - imported; callee < 0 {
				m.addCost(i, e.region, hostCall)
			} else if plan[callee].free {
				m.addCost(i, e.region, m.bodies[callee].entry)
			}
		case eventBulk, eventGrow:
			m.addCost(i, e.region, bulkCall)
		}
	}
	// The first time round, a loop is charged with what is around it, unless it is charged where it begins.
	loops := m.bodyLoops(i)
	for k := len(loops) - 1; k >= 0; k-- {
		if l := &loops[k]; !l.header {
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

func (m *module) hasBulk(i int) bool {
	for _, e := range m.bodyEvents(i) {
		if e.kind == eventBulk || e.kind == eventGrow {
			return true
		}
	}
	return false
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
