// SPDX-License-Identifier: Apache-2.0

package codecache

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/k1s-io/k1s/internal/wasm/meter"
)

// artifactFormat is part of the file names. It changes with the format of the files and with the meaning of their
// presence: a module whose artifact is in the cache has been compiled within the limits.
const artifactFormat = 2

// Artifact is a module in the form that the engine runs: it is metered, its tables are bounded, and the engine applies
// its data segments and calls its start function. It depends on the bytes of the module alone and never changes.
type Artifact struct {
	// Module is the input of the compiler.
	Module []byte
	// Data is the initial content of a new memory, in the order in which it is written.
	Data []meter.Segment
	// Globals are the mutable globals, by the names under which they are exported.
	Globals []meter.Global
	// HasStart reports whether there is a start function, exported as meter.ExportStart.
	HasStart bool
	// Restorable reports whether memory and globals are the whole state of an instance.
	Restorable bool
	// Cost is meter.Output.CompileCost. It is 0 for an artifact that was read from disk.
	Cost uint64
}

// compact copies the data to memory of its own, so that it does not keep the bytes of the module alive.
func (a *Artifact) compact() {
	blob := make([]byte, 0, a.dataBytes())
	data := make([]meter.Segment, len(a.Data))
	for i, d := range a.Data {
		start := len(blob)
		blob = append(blob, d.Bytes...)
		data[i] = meter.Segment{Offset: d.Offset, Bytes: blob[start:len(blob):len(blob)]}
	}
	a.Data = data
}

// dataBytes returns the total size of Data in bytes.
func (a *Artifact) dataBytes() (n int) {
	for _, d := range a.Data {
		n += len(d.Bytes)
	}
	return n
}

// errDamaged is returned for a file whose content does not match its checksum.
var errDamaged = errors.New("the file is damaged")

// header is the header of an artifact file. It follows the checksum and the length of the header. After it come the
// bytes of all segments, and the module.
type header struct {
	Offsets, Lengths     []uint32
	Module               int
	Globals              []meter.Global
	HasStart, Restorable bool
}

// checksum detects damage, not forgery. It uses CRC-32C, which processors compute in hardware.
func checksum(body []byte) uint32 {
	return crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
}

// writeArtifact writes an artifact.
func writeArtifact(w io.Writer, a *Artifact) error {
	h := header{Module: len(a.Module), Globals: a.Globals, HasStart: a.HasStart, Restorable: a.Restorable}
	var body bytes.Buffer
	body.Write(make([]byte, 4+4)) // the checksum and the header's length
	for _, d := range a.Data {
		h.Offsets = append(h.Offsets, d.Offset)
		h.Lengths = append(h.Lengths, uint32(len(d.Bytes)))
	}
	if err := gob.NewEncoder(&body).Encode(h); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	length := body.Len() - 8
	for _, d := range a.Data {
		body.Write(d.Bytes)
	}
	body.Write(a.Module)
	content := body.Bytes()
	binary.LittleEndian.PutUint32(content[4:], uint32(length))
	binary.LittleEndian.PutUint32(content, checksum(content[4:]))
	_, err := w.Write(content)
	return err
}

// ReadArtifact reads a file that writeArtifact has written.
func ReadArtifact(file *os.File) (*Artifact, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	content := make([]byte, info.Size())
	if _, err := file.ReadAt(content, 0); err != nil {
		return nil, err
	}
	if len(content) < 8 || binary.LittleEndian.Uint32(content) != checksum(content[4:]) {
		return nil, errDamaged
	}
	length, body := binary.LittleEndian.Uint32(content[4:]), content[8:]
	var h header
	if err := gob.NewDecoder(bytes.NewReader(body[:length])).Decode(&h); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	body = body[length:]
	a := &Artifact{Globals: h.Globals, HasStart: h.HasStart, Restorable: h.Restorable, Data: make([]meter.Segment, len(h.Lengths))}
	for i, n := range h.Lengths {
		a.Data[i] = meter.Segment{Offset: h.Offsets[i], Bytes: body[:n:n]}
		body = body[n:]
	}
	a.Module = body[:h.Module]
	return a, nil
}
