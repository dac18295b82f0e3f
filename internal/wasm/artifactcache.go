// SPDX-License-Identifier: Apache-2.0

package wasm

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/wasm/meter"
)

// artifactFormat is part of the file names. It changes with the format of the files and with the meaning of their
// presence: a module whose artifact is in the cache has been compiled within the limits.
const artifactFormat = 2

// artifactCache stores artifacts on disk, next to the compilation cache of wazero, so that each digest is metered and
// compiled only once. Like compiled code, artifacts are trusted: whoever can write them controls the process.
type artifactCache struct {
	// dir is the directory. If it is empty, nothing is stored.
	dir string
}

// errDamaged is returned for a file whose content does not match its checksum.
var errDamaged = errors.New("the file is damaged")

// get returns the artifact of a digest. It returns an error if the artifact does not exist or is damaged.
func (c artifactCache) get(digest plugin.Digest) (*artifact, error) {
	if c.dir == "" {
		return nil, fs.ErrNotExist
	}
	file, err := os.Open(c.path(digest))
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	return readArtifact(file)
}

// put stores an artifact. It writes the file atomically.
func (c artifactCache) put(digest plugin.Digest, a *artifact) error {
	if c.dir == "" {
		return nil
	}
	path := c.path(digest)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return err
	}
	err = writeArtifact(file, a)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// open returns the file of a digest, or nil if there is none. The file can be read as long as it is open, even after it
// is removed from the directory.
func (c artifactCache) open(digest plugin.Digest) *os.File {
	if c.dir == "" {
		return nil
	}
	file, err := os.Open(c.path(digest))
	if err != nil {
		return nil
	}
	return file
}

func (c artifactCache) path(digest plugin.Digest) string {
	return filepath.Join(c.dir, fmt.Sprintf(meteredPrefix+"%d-%d", artifactFormat, meter.Version), string(digest))
}

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
func writeArtifact(w io.Writer, a *artifact) error {
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

// readArtifact reads a file that writeArtifact has written.
func readArtifact(file *os.File) (*artifact, error) {
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
	a := &artifact{Globals: h.Globals, HasStart: h.HasStart, Restorable: h.Restorable, Data: make([]meter.Segment, len(h.Lengths))}
	for i, n := range h.Lengths {
		a.Data[i] = meter.Segment{Offset: h.Offsets[i], Bytes: body[:n:n]}
		body = body[n:]
	}
	a.Module = body[:h.Module]
	return a, nil
}
