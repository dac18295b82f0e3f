// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"testing"

	"github.com/k1s-io/k1s/internal/testenv"
	"github.com/k1s-io/k1s/internal/wasm/compiler"
)

func TestMain(m *testing.M) {
	compiler.Dispatch()
	if arguments := os.Getenv(processEnv); arguments != "" {
		os.Exit(operatorMain(arguments))
	}
	testenv.Main(m)
}
