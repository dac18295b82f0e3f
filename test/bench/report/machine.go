// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
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

// ThisMachine returns the description of this machine and of the repository in a directory. The commit has the suffix
// "-dirty" if the tree has changes.
func ThisMachine(repository string) Machine {
	load, _, _ := strings.Cut(read("/proc/loadavg"), " ")
	commit, _ := exec.Command("git", "-C", repository, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*").Output()
	return Machine{
		CPU:    field("/proc/cpuinfo", "model name", runtime.GOARCH),
		Memory: gibibytes(field("/proc/meminfo", "MemTotal", "")),
		System: runtime.GOOS + "/" + runtime.GOARCH,
		Go:     strings.TrimPrefix(runtime.Version(), "go"),
		Date:   time.Now().UTC().Format(time.DateOnly),
		Commit: cmp.Or(strings.TrimSpace(string(commit)), "–"),
		Load:   cmp.Or(load, "–"),
		Cores:  runtime.NumCPU(),
	}
}

// field returns the value of a field in a file of the proc file system, or otherwise if it is not found.
func field(file, name, otherwise string) string {
	for line := range strings.Lines(read(file)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return otherwise
}

// read returns the content of a file, or nothing if it cannot be read, as on other systems than Linux.
func read(file string) string {
	text, _ := os.ReadFile(file)
	return string(text)
}

// gibibytes converts a size in the kernel's format, such as "24681012 kB".
func gibibytes(text string) string {
	kib, err := strconv.ParseFloat(strings.TrimSuffix(text, " kB"), 64)
	if err != nil {
		return "–"
	}
	return fmt.Sprintf("%.0f GiB", kib/(1<<20))
}
