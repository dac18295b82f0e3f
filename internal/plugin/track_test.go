// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
)

func TestTrack_Verdict(t *testing.T) {
	t.Parallel()
	trap := &CallError{Kind: KindTrap, Export: "reconcile", Err: errors.New("unreachable")}
	answer := func(reason metav1.StatusReason) error {
		return &CallError{Kind: KindGuest, Export: "reconcile", Status: &metav1.Status{Reason: reason, Message: "no"}}
	}
	// In the calls of a test case, "." is a successful call and every other letter one of these errors.
	errs := map[rune]error{
		'.': nil, 't': trap, 'i': answer(metav1.StatusReasonInvalid), 'c': answer(metav1.StatusReasonConflict),
		'p': answer(metav1.StatusReasonInternalError), 'u': answer(metav1.StatusReasonUnknown),
		'x': &CallError{Kind: KindClosed, Err: errors.New("closed")}, 'a': &CallError{Kind: KindUnavailable, Err: errors.New("open")},
	}
	for name, tc := range map[string]struct {
		calls   string
		want    Verdict
		changes int
	}{
		"none":                     {"", Unproven, 0},
		"a few good ones":          {".........", Unproven, 0},
		"many good ones":           {strings.Repeat(".", 20), Sound, 1},
		"four bad ones":            {"tttt", Unproven, 0},
		"five bad ones":            {"ttttt", Failing, 1},
		"every other one bad":      {".t.t.t.t.t", Failing, 1},
		"one in three bad":         {strings.Repeat("..t", 7), Sound, 1},
		"rejections are answers":   {strings.Repeat("ic", 10), Sound, 1},
		"panics of SDKs are none":  {"pupup", Failing, 1},
		"cut off or not asked":     {strings.Repeat("xa", 50), Unproven, 0},
		"sound, then bad":          {strings.Repeat(".", 20) + "ttttt", Failing, 2},
		"bad, then a bit better":   {"ttttt......", Failing, 1},
		"bad, then clearly better": {"ttttt" + strings.Repeat(".", 20), Sound, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changes := 0
			track := NewTrack(func() { changes++ })
			fake := &fakeRunner{}
			runner := track.Runner(fake)
			for _, c := range tc.calls {
				fake.err = errs[c]
				if _, err := runner.Call(t.Context(), Call{}); !errors.Is(err, fake.err) {
					t.Fatalf("got %v, want %v", err, fake.err)
				}
			}
			got, cause := track.Verdict()
			if got != tc.want || changes != tc.changes || (cause != nil) != (got == Failing) {
				t.Errorf("verdict %d (%v) after %d changes, want %d after %d", got, cause, changes, tc.want, tc.changes)
			}
		})
	}
}

// A validator that denies requests without a reason must not look broken and be rolled back for it.
func TestTrack_rejectsWithoutReason(t *testing.T) {
	t.Parallel()
	for export, want := range map[string]Verdict{abi.ExportValidateCreate: Sound, abi.ExportSetDefaults: Sound, abi.ExportReconcile: Failing} {
		track := NewTrack(nil)
		runner := track.Runner(&fakeRunner{err: &CallError{Kind: KindGuest, Export: export, Status: &metav1.Status{Message: "too dear"}}})
		for range trackProof {
			if _, err := runner.Call(t.Context(), Call{Export: export}); err == nil {
				t.Fatal("the call was answered")
			}
		}
		if got, _ := track.Verdict(); got != want {
			t.Errorf("%s: verdict %d, want %d", export, got, want)
		}
	}
}

// A call that the caller ends says nothing about the module.
func TestTrack_canceled(t *testing.T) {
	t.Parallel()
	track := NewTrack(nil)
	runner := track.Runner(&fakeRunner{err: &CallError{Kind: KindTimeout, Err: context.Canceled}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		if _, err := runner.Call(ctx, Call{}); err == nil {
			t.Fatal("the call was answered")
		}
	}
	if got, _ := track.Verdict(); got != Unproven {
		t.Errorf("verdict %d, want none", got)
	}
}
