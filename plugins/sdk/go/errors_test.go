// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

func TestIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		is      func(error) bool
		reasons []Reason
	}{
		"NotFound":        {IsNotFound, []Reason{ReasonNotFound}},
		"AlreadyExists":   {IsAlreadyExists, []Reason{ReasonAlreadyExists}},
		"Conflict":        {IsConflict, []Reason{ReasonConflict}},
		"Forbidden":       {IsForbidden, []Reason{ReasonForbidden}},
		"Invalid":         {IsInvalid, []Reason{ReasonInvalid}},
		"TooManyRequests": {IsTooManyRequests, []Reason{ReasonTooManyRequests}},
		"Timeout":         {IsTimeout, []Reason{ReasonTimeout, ReasonServerTimeout}},
	} {
		for _, reason := range c.reasons {
			err := NewError(reason, "x")
			for how, wrapped := range map[string]error{
				"itself":    err,
				"wrapped":   fmt.Errorf("a: %w", fmt.Errorf("b: %w", err)),
				"among two": errors.Join(errors.New("other"), fmt.Errorf("b: %w", err)),
			} {
				if !c.is(wrapped) {
					t.Errorf("Is%s is false for %s, %s", name, reason, how)
				}
			}
		}
		for what, err := range map[string]error{
			"nil": nil, "another error": errors.New(name), "another reason": NewError(ReasonGone, "x"),
			"a nil Error": (*Error)(nil), "joined others": errors.Join(errors.New("a"), errors.New("b")),
		} {
			if c.is(err) {
				t.Errorf("Is%s is true for %s", name, what)
			}
		}
	}
}

func TestIgnoreNotFound(t *testing.T) {
	t.Parallel()
	if err := IgnoreNotFound(NewError(ReasonNotFound, "x")); err != nil {
		t.Errorf("NotFound gives %v", err)
	}
	if err := IgnoreNotFound(NewError(ReasonConflict, "x")); !IsConflict(err) {
		t.Errorf("Conflict gives %v", err)
	}
}

func TestError_roundTrip(t *testing.T) {
	t.Parallel()
	want := Error{
		Reason: ReasonTooManyRequests, Message: "slow down", Code: 429,
		Details: ErrorDetails{Name: "n", Group: "g", Kind: "k", UID: "u", RetryAfterSeconds: 7},
	}
	text, err := json.Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	var got Error
	if err := json.Unmarshal(string(text), &got); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestError_textWithoutMessage(t *testing.T) {
	t.Parallel()
	if got := (&Error{Reason: ReasonConflict}).Error(); got != "Conflict" {
		t.Errorf("got %q", got)
	}
}

// A long message is cut between two characters, so that the operator accepts the error.
func TestStatusOf_longMessage(t *testing.T) {
	t.Parallel()
	text := statusOf(errors.New("x" + strings.Repeat("ü", maxMessage)))
	var got Error
	if err := json.Unmarshal(string(text), &got); err != nil {
		t.Fatal(err)
	}
	if want := "x" + strings.Repeat("ü", (maxMessage-4)/2) + "…"; got.Message != want || got.Reason != ReasonInternalError {
		t.Errorf("got %d bytes, want %d", len(got.Message), len(want))
	}
}
