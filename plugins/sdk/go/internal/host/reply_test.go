// SPDX-License-Identifier: Apache-2.0

package host

import "testing"

func TestPack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ptr, length uint32
		isError     bool
		want        uint64
	}{
		"empty":               {65536, 0, false, 0},
		"result":              {16, 160, false, 16<<32 | 160},
		"error":               {16, 160, true, 16<<32 | 1<<31 | 160},
		"highest address":     {0xffffffff, 1, false, 0xffffffff<<32 | 1},
		"error without bytes": {16, 0, true, 16<<32 | 1<<31},
	} {
		got := pack(c.ptr, c.length, c.isError)
		if got != c.want {
			t.Errorf("%s: pack gives %#x, want %#x", name, got, c.want)
		}
		ptr, length, isError := unpack(got)
		if got != 0 && (ptr != c.ptr || length != c.length || isError != c.isError) {
			t.Errorf("%s: unpack gives %d, %d, %v", name, ptr, length, isError)
		}
	}
}
