// SPDX-License-Identifier: Apache-2.0

package decorate

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// guest is a Runner that calls a function.
type guest struct {
	answer func(ctx context.Context, call plugin.Call) ([]byte, error)
	calls  atomic.Int32
	closed atomic.Bool
}

func (g *guest) Call(ctx context.Context, call plugin.Call) ([]byte, error) {
	g.calls.Add(1)
	return g.answer(ctx, call)
}

func (g *guest) Close(context.Context) error {
	g.closed.Store(true)
	return nil
}

// expectCalls checks how many calls have reached the guest.
func (g *guest) expectCalls(t *testing.T, want int32) {
	t.Helper()
	if got := g.calls.Load(); got != want {
		t.Errorf("the guest was called %d times, want %d", got, want)
	}
}

func failure(kind plugin.Kind) error {
	if kind == plugin.KindGuest {
		return guestError(metav1.StatusReasonConflict)
	}
	return &plugin.CallError{Kind: kind, Export: abi.ExportReconcile, Err: errors.New("of the test")}
}

func guestError(reason metav1.StatusReason) error {
	return (*plugin.Redactor)(nil).GuestError(abi.ExportReconcile, abi.GuestStatus{Reason: string(reason), Message: "of the test"})
}
