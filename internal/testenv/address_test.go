// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"net"
	"testing"
)

func TestFreeAddress(t *testing.T) {
	t.Parallel()
	const many = 100
	seen := map[string]bool{}
	for range many {
		address := FreeAddress(t)
		if seen[address] {
			t.Fatalf("%s is given twice", address)
		}
		seen[address] = true
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close() // it stays reserved for this test
	}
}
