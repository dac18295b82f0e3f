// SPDX-License-Identifier: Apache-2.0

package tenants

import (
	"testing"

	"github.com/k1s-io/k1s/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }
