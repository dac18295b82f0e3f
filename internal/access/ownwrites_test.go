// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func TestOwnWrites(t *testing.T) {
	t.Parallel()
	answer := func(i int) []byte {
		return fmt.Appendf(nil, `{"kind":"Item","metadata":{"uid":"u%d","resourceVersion":"%d"}}`, i%7, i)
	}
	has := func(w *OwnWrites, i int) bool { return w.Has(types.UID(fmt.Sprintf("u%d", i%7)), fmt.Sprint(i)) }
	w := &OwnWrites{}
	w.add([]byte(`{"kind":"Status","metadata":{},"status":"Success"}`))
	w.add([]byte("not JSON"))
	const writes = 3*maxOwnWrites + 5
	for i := range writes {
		w.add(answer(i))
		w.add(answer(i)) // a write that changes nothing
	}
	for i := range writes {
		if want := i >= writes-maxOwnWrites; has(w, i) != want {
			t.Fatalf("write %d is known: %t, want %t", i, !want, want)
		}
	}
	if len(w.seen) != maxOwnWrites {
		t.Errorf("%d writes are remembered, want %d", len(w.seen), maxOwnWrites)
	}
	var none *OwnWrites
	none.add(answer(1))
	if has(none, 1) {
		t.Error("nil remembers a write")
	}
}
