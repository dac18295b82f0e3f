// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes"

	"github.com/k1s-io/k1s/internal/testenv"
)

// expectWatches waits until the API server reports that the given number of watches of a resource are open.
func expectWatches(t *testing.T, env *testenv.Env, resource string, want int) {
	t.Helper()
	testenv.Eventually(t, fmt.Sprintf("%d watches of %s are open", want, resource), func(ctx context.Context) error {
		got, err := openWatches(ctx, env, resource)
		if err == nil && got != want {
			err = fmt.Errorf("there are %d", got)
		}
		return err
	})
}

// openWatches returns the number of open watches from the API server's metrics.
func openWatches(ctx context.Context, env *testenv.Env, resource string) (int, error) {
	clients, err := kubernetes.NewForConfig(env.Config)
	if err != nil {
		return 0, err
	}
	text, err := clients.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return 0, err
	}
	total := 0
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "apiserver_longrunning_requests{") ||
			!strings.Contains(line, `resource="`+resource+`"`) || !strings.Contains(line, `verb="WATCH"`) {
			continue
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("%q: %w", line, err)
		}
		total += int(value)
	}
	return total, lines.Err()
}
