// SPDX-License-Identifier: Apache-2.0

// Command metrics-docs implements the generation of docs/metrics.md from the metrics that the code registers.
//
//	go run ./hack/metrics-docs -o docs/metrics.md
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
)

func main() {
	output := flag.String("o", "docs/metrics.md", "file to write")
	flag.Parse()
	if err := run(*output); err != nil {
		fmt.Fprintln(os.Stderr, "metrics-docs:", err)
		os.Exit(1)
	}
}

func run(output string) error {
	var page bytes.Buffer
	if err := render(&page); err != nil {
		return err
	}
	return os.WriteFile(output, page.Bytes(), 0o644)
}
