// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k1s-io/k1s/internal/abi"
)

// acceptingRunner calls Accept before it returns, as the engine does.
type acceptingRunner struct{ fakeRunner }

func (r *acceptingRunner) Call(ctx context.Context, call Call) ([]byte, error) {
	reply, err := r.fakeRunner.Call(ctx, call)
	if err == nil {
		err = call.Accept(reply)
	}
	if err != nil {
		return nil, &CallError{Kind: KindViolation, Export: call.Export, Err: err}
	}
	return reply, nil
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, reply string
		want        abi.ReconcileResult
		err         string // part of the error
	}{
		{name: "empty"},
		{name: "an empty object", reply: `{}`},
		{name: "later", reply: `{"requeueAfterMillis":30000}`, want: abi.ReconcileResult{RequeueAfterMillis: 30000}},
		{name: "in a year", reply: `{"requeueAfterMillis":31536000000}`, want: abi.ReconcileResult{RequeueAfterMillis: abi.MaxRequeueAfterMillis}},
		{name: "no JSON", reply: `done`, err: "invalid character"},
		{name: "a member too many", reply: `{"requeue":true}`, err: `unknown field "requeue"`},
		{name: "in the past", reply: `{"requeueAfterMillis":-1}`, err: "requeueAfterMillis is -1, want 0 to 31536000000"},
		{name: "beyond a duration", reply: `{"requeueAfterMillis":9223372036854775807}`, err: "requeueAfterMillis is 9223372036854775807"},
		{name: "half a millisecond", reply: `{"requeueAfterMillis":0.5}`, err: "cannot unmarshal number 0.5"},
	}
	for _, tt := range tests {
		for kind, runner := range map[string]Runner{
			"asks":         &acceptingRunner{fakeRunner{reply: []byte(tt.reply)}},
			"does not ask": &fakeRunner{reply: []byte(tt.reply)},
		} {
			t.Run(tt.name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				got, err := Reconcile(t.Context(), runner, abi.ReconcileRequest{})
				if tt.err == "" && (err != nil || got != tt.want) {
					t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
				}
				if tt.err != "" && (KindOf(err) != KindViolation || !strings.Contains(err.Error(), tt.err) || got != (abi.ReconcileResult{})) {
					t.Errorf("got %+v, %v, want %q", got, err, tt.err)
				}
			})
		}
	}
}

func TestReconcile_fails(t *testing.T) {
	t.Parallel()
	if _, err := Reconcile(t.Context(), &fakeRunner{err: ErrNoRevision}, abi.ReconcileRequest{}); !errors.Is(err, ErrNoRevision) {
		t.Errorf("got %v, want %v", err, ErrNoRevision)
	}
	large := abi.ReconcileRequest{Object: make([]byte, abi.MaxPayload+1)}
	if _, err := Reconcile(t.Context(), &fakeRunner{}, large); KindOf(err) != KindInput {
		t.Errorf("got %v, want %s", err, KindInput)
	}
}

func TestCallError(t *testing.T) {
	t.Parallel()
	status := func(reason metav1.StatusReason, message string) *metav1.Status {
		return &metav1.Status{Reason: reason, Message: message}
	}
	tests := []struct {
		name    string
		err     *CallError
		want    string
		invalid bool
	}{
		{"a guest's error", &CallError{Kind: KindGuest, Export: "reconcile", Status: status("Conflict", "too late")}, "guest reconcile answered Conflict: too late", false},
		{"without reason", &CallError{Kind: KindGuest, Export: "reconcile", Status: status("", "oh")}, "guest reconcile answered Unknown: oh", false},
		{"invalid", &CallError{Kind: KindGuest, Export: "reconcile", Status: status("Invalid", "no parent")}, "guest reconcile answered Invalid: no parent", true},
		{"a trap", &CallError{Kind: KindTrap, Export: "reconcile", Err: errors.New("unreachable")}, "guest reconcile: Trap: unreachable", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.err.Error(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			wrapped := fmt.Errorf("wrapped: %w", tt.err)
			if KindOf(wrapped) != tt.err.Kind || IsInvalid(wrapped) != tt.invalid || !errors.Is(wrapped, tt.err) {
				t.Errorf("wrapped: kind %q, invalid %v", KindOf(wrapped), IsInvalid(wrapped))
			}
			if tt.err.Err != nil && !errors.Is(tt.err, tt.err.Err) {
				t.Error("the cause is lost")
			}
		})
	}
	if KindOf(errors.New("another")) != "" || IsInvalid(nil) {
		t.Error("another error has a kind")
	}
}

func TestLoadError(t *testing.T) {
	t.Parallel()
	cause := errors.New("unexpected end")
	with := &LoadError{Reason: "InvalidModule", Message: "the module is malformed", Err: cause}
	if with.Error() != "the module is malformed: unexpected end" || !errors.Is(with, cause) {
		t.Errorf("got %q", with)
	}
	without := Reject("NotWasm", "%d bytes", 3)
	if without.Error() != "3 bytes" || without.Reason != "NotWasm" || without.Unwrap() != nil {
		t.Errorf("got %q, %s", without, without.Reason)
	}
}
