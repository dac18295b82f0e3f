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

// Machine describes where and when the measurement took place.
type Machine struct {
	CPU, Memory, System, Go, Date, Commit string
	// Load is the load average of the last minute before the measurement.
	Load  string
	Cores int
}

// ThisMachine returns the description of this machine and of the repository in a directory.
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

// field returns the value of a field in a file of the proc file system, or otherwise if it is not found.
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

// load returns the first of the kernel's load averages, that of one minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "–"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// gibibytes converts a size in the kernel's format, such as "24681012 kB".
func gibibytes(text string) string {
	number, _, _ := strings.Cut(text, " ")
	kib, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return "–"
	}
	return fmt.Sprintf("%.0f GiB", kib/(1<<20))
}

// commit returns the commit that is measured, with the suffix "-dirty" if the tree has changes.
func commit(repository string) string {
	out, err := exec.Command("git", "-C", repository, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*").Output()
	if err != nil {
		return "–"
	}
	return strings.TrimSpace(string(out))
}
