// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"testing"
)

// Exactly the last maxDescribed modules are cached.
func TestDescribed(t *testing.T) {
	t.Parallel()
	d := NewDescribed()
	for i := range maxDescribed + 1 {
		d.Remember(Digest(fmt.Sprint(i)), Metadata{Name: fmt.Sprint(i)})
	}
	if m, ok := d.Known("1"); !ok || m.Name != "1" {
		t.Errorf("got %v, %v", m, ok)
	}
	for _, digest := range []Digest{"0", "", "unknown"} {
		if _, ok := d.Known(digest); ok {
			t.Errorf("%q is known", digest)
		}
	}
	var none *Described
	none.Remember("a", Metadata{})
	if _, ok := none.Known("a"); ok {
		t.Error("nil remembers")
	}
}
