// SPDX-License-Identifier: Apache-2.0

package meter

// other reads the rest of an instruction that needs individual treatment.
func (s *scanner) other(op byte) {
	switch op {
	case opUnreachable:
	case opBlock, opLoop, opIf:
		s.b.blocks++
		s.open(op)
	case opElse:
		s.elseArm()
	case opEnd:
		s.end()
	case opBr:
		s.branch(eventBack)
	case opBrIf:
		s.branch(eventBackIf)
	case opBrTable:
		s.Vector(s.brTable)
		s.brTable()
	case opReturn:
		s.event(eventReturn, uint32(len(s.frames)-1), s.at)
	case opCall:
		s.call()
	case opCallIndirect:
		s.callIndirect()
	case opSelectTyped:
		s.Vector(func() { s.valueType() })
	case opGlobalGet, opGlobalSet:
		s.global()
		s.values.results++
	case opTableGet:
		s.table()
		s.values.results++
	case opTableSet:
		s.table()
		s.m.tableWrites = true
	case opMemoryGrow:
		s.zero()
		s.m.usesGrow = true
		s.event(eventGrow, 0, s.at)
	case opRefNull:
		s.referenceType()
	case opRefFunc:
		s.refFunc()
	case opMisc:
		s.misc()
	case opVector:
		s.vectorInstruction()
	}
}

func (s *scanner) global() { s.Below(s.m.allGlobals(), "global") }

func (s *scanner) table() { s.Below(len(s.m.tables), "table") }

// label reads a label and returns its frame.
func (s *scanner) label() *frame {
	d := s.Below(len(s.frames), "label")
	if s.Err != nil {
		return &frame{}
	}
	return &s.frames[len(s.frames)-1-int(d)]
}

func (s *scanner) branch(kind eventKind) {
	f := s.label()
	if f.op != opLoop {
		return
	}
	s.event(kind, f.loop, s.at)
	l := &s.m.loops[f.loop]
	l.backs++
	l.header = l.header || kind == eventBackIf && f.params > 0
}

// brTable reads one label of a br_table.
func (s *scanner) brTable() {
	s.b.targets++
	if f := s.label(); f.op == opLoop {
		l := &s.m.loops[f.loop]
		l.backs++
		l.header = true
	}
}

// open starts a block. Its type is a number of 33 bits: empty, a value type, or a type index.
func (s *scanner) open(op byte) {
	params, results := 0, 0
	switch t := s.Signed(33); {
	case s.Err != nil:
		return
	case t >= 0:
		if t >= int64(len(s.m.types)) {
			s.Failf("type %d, but there are %d", t, len(s.m.types))
			return
		}
		params, results = len(s.m.types[t].params), len(s.m.types[t].results)
	case t == typeEmpty-0x80:
	case t >= -0x80 && isValue(byte(t+0x80)):
		results = 1
		s.values.wide = s.values.wide || byte(t+0x80) == typeV128
	case t >= -0x80:
		s.unknownType("block type", byte(t+0x80))
		return
	default:
		s.Failf("block type %d is not of WebAssembly 2.0", t)
		return
	}
	s.b.widest = max(s.b.widest, uint32(params+results))
	f := frame{op: op, sets: s.values.sets, params: params, around: s.loop}
	s.values.results += params + results
	if op == opLoop {
		f.loop = uint32(len(s.m.loops))
		s.m.loops = append(s.m.loops, loop{around: s.loop})
		s.event(eventLoop, f.loop, s.At)
		s.loop = f.loop
	}
	s.frames = append(s.frames, f)
}

func (s *scanner) elseArm() {
	f := &s.frames[len(s.frames)-1]
	if f.op != opIf {
		s.Failf("else without if")
	}
	f.op = opElse
}

func (s *scanner) end() {
	f := &s.frames[len(s.frames)-1]
	s.frames = s.frames[:len(s.frames)-1]
	s.loop = f.around
	s.values.meet(f.sets, s.b.locals)
}

func (s *scanner) call() {
	from := s.At
	index := s.Below(s.m.functions(), "function")
	if s.Err != nil {
		return
	}
	s.event(eventCall, index, from)
	s.apply(s.m.typeOf(index))
}

func (s *scanner) callIndirect() {
	t := s.Below(len(s.m.types), "type")
	s.table()
	if s.Err != nil {
		return
	}
	s.event(eventIndirect, s.m.types[t].class, s.At)
	s.apply(&s.m.types[t])
}

// apply counts the parameters and the results of a call.
func (s *scanner) apply(t *funcType) {
	s.values.results += len(t.results)
	s.values.passed = max(s.values.passed, len(t.params)+len(t.results))
}

func (s *scanner) refFunc() {
	from := s.At
	index := s.Below(s.m.functions(), "function")
	if s.Err != nil {
		return
	}
	// The exports that Rewrite adds also declare functions, so the function must have been declared without them.
	if !s.m.declared[index] {
		s.Failf("reference to function %d, which is not declared", index)
	}
	s.m.addressTaken[index] = true
	s.event(eventRefFunc, index, from)
}

func (s *scanner) vectorInstruction() {
	s.values.wide = true
	op := s.U32()
	if op > 0xff || !vectorInstructions[op].known {
		s.unknownSecond(opVector, op)
		return
	}
	v := vectorInstructions[op]
	if v.memory {
		s.U32()
		s.U32()
	}
	s.Take(uint32(v.bytes))
	s.values.results += 2 // one may be an address
}
