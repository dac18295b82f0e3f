// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// byName returns a plugin that acts according to the name of the object.
func byName() *registration {
	return reconcilesWith(func(_ context.Context, req Request, _ *Object) (Result, error) {
		switch req.Name {
		case "later":
			return Result{RequeueAfter: time.Second}, nil
		case "invalid":
			return Result{}, NewError(ReasonInvalid, "too high")
		case "plain":
			return Result{}, errors.New("plain")
		case "panic":
			panic("of the test")
		default:
			return Result{}, nil
		}
	})
}

func batchOf(names ...string) string {
	var requests []string
	for _, name := range names {
		requests = append(requests, `{"apiVersion":"v1","kind":"ConfigMap","namespace":"shop","name":"`+name+`","object":{"apiVersion":"v1","kind":"ConfigMap"},"attempt":1}`)
	}
	return `{"later":{},"requests":[` + strings.Join(requests, ", ") + `]}`
}

func TestServeReconcileBatch(t *testing.T) {
	t.Parallel()
	unknownKind := `{"apiVersion":"v1","kind":"Secret","namespace":"shop","name":"a","object":null,"attempt":1}`
	for name, c := range map[string]struct{ input, want string }{
		"nothing to say": {batchOf("a", "b", "c"), ``},
		"one waits":      {batchOf("a", "later", "c"), `{"results":[{},{"requeueAfterMillis":1000},{}]}`},
		"errors": {
			batchOf("invalid", "a", "plain"),
			`{"results":[{"error":` + string(statusOf(NewError(ReasonInvalid, "too high"))) + `},{},{"error":` + string(statusOf(errors.New("plain"))) + `}]}`,
		},
		"a panic": {
			batchOf("a", "panic", "later"),
			`{"results":[{},{"error":` + string(statusOf(NewError(ReasonInternalError, "panic: of the test"))) + `},{"requeueAfterMillis":1000}]}`,
		},
		"a kind without handler": {
			`{"requests":[` + unknownKind + `]}`,
			`{"results":[{"error":` + string(statusOf(NewError(ReasonBadRequest, "no handler for Secret of v1"))) + `}]}`,
		},
		"no requests": {`{"requests":[]}`, ``},
	} {
		got, err := serveReconcileBatch(byName(), c.input)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v\nwant %s", name, got, err, c.want)
		}
	}
}

func TestServeReconcileBatch_invalid(t *testing.T) {
	t.Parallel()
	for _, input := range []string{``, `[]`, `{"requests":{}}`, `{"requests":[{}`, batchOf("a") + "x"} {
		if got, err := serveReconcileBatch(byName(), input); find(err) == nil || find(err).Reason != ReasonBadRequest {
			t.Errorf("%q: got %s, %v", input, got, err)
		}
	}
}
