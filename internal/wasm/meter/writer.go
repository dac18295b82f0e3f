// SPDX-License-Identifier: Apache-2.0

package meter

import "github.com/k1s-io/k1s/internal/wasm/binary"

// writer writes the metered module. New types, functions and globals are added at the end of their index spaces, except
// for the import, which comes after the imported functions. The indices of all functions that the module defines
// therefore increase by one.
type writer struct {
	m                   *module
	plan                []treatment
	takeData, takeStart bool

	types map[string]uint32 // block types that were added, by their results
	added []byte            // encoding of the types that were added
	count uint32            // number of all types

	yieldType, emptyType, countType uint32
	yield, slow, bulk, grow         uint32 // functions
	fill, copy                      uint32
	inits                           map[uint32]uint32 // by segment
	fuel, stack                     uint32            // globals
	helpers                         [][]byte
	helperTypes                     []uint32
	helperNames                     []string
	chunk                           uint32 // in bytes
	ranges                          uint32 // the type of the helpers of instructions on ranges, or 0
}

// module writes the whole module.
func (w *writer) module(globals []Global) []byte {
	m := w.m
	w.types = map[string]uint32{}
	w.count = uint32(len(m.types))
	w.yieldType = w.typ([]byte{typeI64, typeI64}, []byte{typeI64})
	w.emptyType = w.typ(nil, nil)
	w.countType = w.typ([]byte{typeI32}, []byte{typeI32})
	w.fuel = uint32(m.allGlobals())
	w.stack = w.fuel + 1
	w.yield = uint32(len(m.importedFuncs))
	w.addHelpers()
	bodies := w.bodies() // these may add types

	out := append(make([]byte, 0, len(m.Bytes)+len(bodies)/2), m.Bytes[:8]...)
	out = appendSection(out, binary.SectionType, w.vector(binary.SectionType, int(w.count)-len(m.types), w.added))
	out = appendSection(out, binary.SectionImport, w.vector(binary.SectionImport, 1, w.yieldImport()))
	var types []byte
	for _, t := range w.helperTypes {
		types = appendU32(types, t)
	}
	out = appendSection(out, binary.SectionFunction, w.vector(binary.SectionFunction, len(w.helperTypes), types))
	out = w.keep(out, binary.SectionTable)
	out = w.keep(out, binary.SectionMemory)
	out = appendSection(out, binary.SectionGlobal, append(appendU32(nil, uint32(len(m.globals)+2)), append(m.newGlobals, w.counters()...)...))
	out = appendSection(out, binary.SectionExport, w.exports(globals))
	if m.start >= 0 && !w.takeStart {
		out = appendSection(out, binary.SectionStart, appendU32(nil, m.moved(uint32(m.start))))
	}
	if elements, _ := m.Section(binary.SectionElement); elements != nil {
		out = appendSection(out, binary.SectionElement, append(appendU32(nil, uint32(m.elements)), m.newElements...))
	}
	out = w.keep(out, binary.SectionDataCount)
	out = appendSection(out, binary.SectionCode, bodies)
	if !w.takeData {
		out = w.keep(out, binary.SectionData)
	} else if data, _ := m.Section(binary.SectionData); m.dataCount >= 0 && data != nil {
		out = appendSection(out, binary.SectionData, w.emptied())
	}
	return appendSection(out, binary.SectionCustom, w.names())
}

// keep writes a section unchanged.
func (w *writer) keep(out []byte, id byte) []byte {
	if content, _ := w.m.Section(id); content != nil {
		return appendSection(out, id, content)
	}
	return out
}

// vector returns the content of a section with additional elements at its end.
func (w *writer) vector(id byte, more int, elements []byte) []byte {
	content, _ := w.m.Section(id)
	c := newCursor(content)
	n := 0
	if len(content) > 0 {
		n = int(c.U32())
	}
	out := appendU32(make([]byte, 0, len(c.Bytes)+len(elements)+5), uint32(n+more))
	return append(append(out, c.Bytes[c.At:]...), elements...)
}

// typ adds a function type and returns its index.
func (w *writer) typ(params, results []byte) uint32 {
	w.added = appendSized(append(w.added, typeFunc), params)
	w.added = appendSized(w.added, results)
	w.count++
	return w.count - 1
}

// blockType appends the type of a block that has the results of a function and no parameters.
func (w *writer) blockType(out []byte, results []byte) []byte {
	switch len(results) {
	case 0:
		return append(out, typeEmpty)
	case 1:
		return append(out, results[0])
	}
	index, ok := w.types[string(results)]
	if !ok {
		index = w.typ(nil, results)
		w.types[string(results)] = index
	}
	return appendSigned(out, int64(index))
}

func (w *writer) yieldImport() []byte {
	out := appendName(nil, ImportModule)
	out = append(appendName(out, ImportYield), byte(binary.ExternFunc))
	return appendU32(out, w.yieldType)
}

// counters returns the two globals that are added.
func (w *writer) counters() []byte {
	one := []byte{typeI64, 1, opI64Const, 0, opEnd}
	return append(one, one...)
}

func (w *writer) exports(globals []Global) []byte {
	m := w.m
	n := uint32(m.exportCount)
	out := m.newExports
	export := func(name string, kind binary.ExternKind, index uint32) {
		out = appendU32(append(appendName(out, name), byte(kind)), index)
		n++
	}
	export(ExportFuel, binary.ExternGlobal, w.fuel)
	export(ExportStack, binary.ExternGlobal, w.stack)
	next := 0
	for i, g := range m.globals {
		if g.mutable {
			export(globals[next].Export, binary.ExternGlobal, uint32(len(m.importedGlobals)+i))
			next++
		}
	}
	if m.start >= 0 && w.takeStart {
		export(ExportStart, binary.ExternFunc, m.moved(uint32(m.start)))
	}
	return append(appendU32(nil, n), out...)
}

// emptied returns the data segments of a module whose instructions may refer to them. Active segments are replaced with
// empty ones: after an active segment is written, it behaves like an empty one.
func (w *writer) emptied() []byte {
	out := appendU32(nil, uint32(len(w.m.data)))
	for _, d := range w.m.data {
		out = append(out, 1)
		if d.passive {
			out = appendSized(out, d.content)
		} else {
			out = append(out, 0)
		}
	}
	return out
}

// bodies returns the content of the code section.
func (w *writer) bodies() []byte {
	m := w.m
	code, _ := m.Section(binary.SectionCode)
	out := make([]byte, 0, len(code)*3/2+256)
	out = appendU32(out, uint32(len(m.bodies)+len(w.helpers)))
	// The length of a body is encoded in five bytes, so that the body does not have to be moved when its length is
	// known.
	for i := range m.bodies {
		at := len(out)
		out = append(out, 0, 0, 0, 0, 0)
		out = w.body(out, i)
		putLength(out[at:], uint32(len(out)-at-5))
	}
	for _, h := range w.helpers {
		out = appendSized(out, h)
	}
	return out
}

// putLength encodes a number of 32 bits in five bytes.
func putLength(out []byte, v uint32) {
	for i := range 4 {
		out[i] = byte(v>>(7*i)) | 0x80
	}
	out[4] = byte(v >> 28)
}
