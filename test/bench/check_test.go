// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"testing"
)

func TestTry(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	cleaned := false
	err := try(func() {
		defer func() { cleaned = true }()
		check(nil)
		_ = must(1, failed)
		t.Error("must went on after an error")
	})
	if !errors.Is(err, failed) || !cleaned {
		t.Errorf("error %v, cleaned up %t", err, cleaned)
	}
	defer func() {
		if p := recover(); p != "a bug" {
			t.Errorf("try turned a panic into %v", p)
		}
	}()
	_ = try(func() { panic("a bug") })
}
