// SPDX-License-Identifier: Apache-2.0

package tenants

import (
	"testing"

	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/wasm/compiler"
)

func TestMain(m *testing.M) {
	compiler.Dispatch()
	testenv.Main(m)
}
