// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/testenv"
)

// cgroup is a control group with a memory limit.
type cgroup struct {
	dir string
	// peak is the name of the file that holds the peak memory usage.
	peak string
}

// newCgroup creates a control group with a memory limit inside the control group of this process. It skips the test
// where this is not possible: outside Linux, and without the permission to create one.
func newCgroup(t *testing.T, limit int64) cgroup {
	t.Helper()
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Skipf("control groups are not available: %v", err)
	}
	var c cgroup
	var limitFile string
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		name := fmt.Sprintf("k1s-test-%d", os.Getpid())
		switch {
		case len(parts) < 3:
		case parts[1] == "memory":
			c = cgroup{dir: filepath.Join("/sys/fs/cgroup/memory", parts[2], name)}
			c.peak, limitFile = "memory.max_usage_in_bytes", "memory.limit_in_bytes"
		case parts[0] == "0" && c.dir == "":
			c = cgroup{dir: filepath.Join("/sys/fs/cgroup", parts[2], name)}
			c.peak, limitFile = "memory.peak", "memory.max"
		}
	}
	if err := os.Mkdir(c.dir, 0o755); err != nil {
		t.Skipf("control groups cannot be made here: %v", err)
	}
	t.Cleanup(func() {
		// The group can be removed once the kernel has noticed that its last process has exited.
		if err := testenv.Poll(context.Background(), testenv.Timeout, func(context.Context) error { return os.Remove(c.dir) }); err != nil {
			t.Logf("a control group is left behind: %v", err)
		}
	})
	if err := os.WriteFile(filepath.Join(c.dir, limitFile), []byte(strconv.FormatInt(limit, 10)), 0o644); err != nil {
		t.Skipf("control groups cannot be limited here: %v", err)
	}
	return c
}

// run returns the prefix that runs a command in the control group.
func (c cgroup) run() []string {
	return []string{"sh", "-c", `echo $$ > "$0/cgroup.procs" && exec "$@"`, c.dir}
}

// peakMemory returns the peak memory usage in bytes, or 0 if it is unknown.
func (c cgroup) peakMemory() int64 {
	text, _ := os.ReadFile(filepath.Join(c.dir, c.peak))
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n
}
