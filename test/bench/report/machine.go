// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Machine says where and when something was measured.
type Machine struct {
	CPU, Memory, System, Go, Date, Commit string
	// Load is how many processes wanted to run on average in the minute before.
	Load  string
	Cores int
}

// ThisMachine looks at the machine, and at the repository in a folder.
func ThisMachine(repository string) Machine {
	return Machine{
		CPU:    field("/proc/cpuinfo", "model name", runtime.GOARCH),
		Memory: gibibytes(field("/proc/meminfo", "MemTotal", "")),
		System: runtime.GOOS + "/" + runtime.GOARCH,
		Go:     strings.TrimPrefix(runtime.Version(), "go"),
		Date:   time.Now().UTC().Format(time.DateOnly),
		Commit: commit(repository),
		Load:   load(),
		Cores:  runtime.NumCPU(),
	}
}

// field returns what stands behind a name in a file of the proc file system.
func field(file, name, otherwise string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return otherwise
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return otherwise
}

// load returns the first number of the kernel's load averages.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "–"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// gibibytes reads what the kernel writes: 24681012 kB.
func gibibytes(text string) string {
	number, _, _ := strings.Cut(text, " ")
	kib, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return "–"
	}
	return fmt.Sprintf("%.0f GiB", kib/(1<<20))
}

// commit names what was measured; a tree with changes says so.
func commit(repository string) string {
	out, err := exec.Command("git", "-C", repository, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*").Output()
	if err != nil {
		return "–"
	}
	return strings.TrimSpace(string(out))
}
