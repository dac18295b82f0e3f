// SPDX-License-Identifier: Apache-2.0

package access

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Subject is whom a binding gives rights, as far as ServiceAccounts are among them: one account, all
// accounts of a namespace (ServiceAccount is empty), or everybody (both are).
type Subject struct {
	Namespace      string
	ServiceAccount string
}

// Change is a change of somebody's rights: in a namespace, or everywhere if it is empty. The zero
// Change is that of all rights.
type Change struct {
	Subject   Subject
	Namespace string
}

// Affects reports whether a change can matter to what an identity may do in one of the namespaces. The
// empty namespace stands for the rights that hold in all of them, which no Role or RoleBinding can give.
func (c Change) Affects(id Identity, namespaces ...string) bool {
	switch {
	case c.Subject.Namespace != "" && c.Subject.Namespace != id.Namespace,
		c.Subject.ServiceAccount != "" && c.Subject.ServiceAccount != id.ServiceAccount:
		return false
	case c.Namespace == "":
		return true
	}
	for _, n := range namespaces {
		if n == c.Namespace {
			return true
		}
	}
	return false
}

// mark is the last change that a decision depends on; the zero mark is none.
type mark struct {
	number uint64
	at     time.Time
}

const (
	// maxMarks bounds how many changes are told apart; one takes about 200 bytes.
	maxMarks = 10_000
	// keepMarks is how long they are, at least: no decision is older.
	keepMarks = 2 * (allowFor + reviewTimeout)
)

// ledger knows when rights changed last, by whom and what that concerns.
type ledger struct {
	clock clock.PassiveClock

	mu     sync.RWMutex
	number uint64
	marks  map[Change]mark
}

func newLedger(clk clock.PassiveClock) *ledger {
	return &ledger{clock: clk, marks: map[Change]mark{}}
}

// note enters changes.
func (l *ledger) note(changes []Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.number++
	now := mark{number: l.number, at: l.clock.Now()}
	for _, c := range changes {
		l.marks[c] = now
	}
	if len(l.marks) <= maxMarks {
		return
	}
	for c, m := range l.marks {
		if now.at.Sub(m.at) > keepMarks {
			delete(l.marks, c)
		}
	}
	if len(l.marks) > maxMarks { // too much at once to tell it apart: everything has changed
		l.marks = map[Change]mark{{}: now}
	}
}

// last returns the last change that matters to what an identity may do in a namespace.
func (l *ledger) last(id Identity, namespace string) mark {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var last mark
	for _, s := range [...]Subject{{}, {Namespace: id.Namespace}, {Namespace: id.Namespace, ServiceAccount: id.ServiceAccount}} {
		if m := l.marks[Change{Subject: s}]; m.number > last.number {
			last = m
		}
		if namespace == "" {
			continue
		}
		if m := l.marks[Change{Subject: s, Namespace: namespace}]; m.number > last.number {
			last = m
		}
	}
	return last
}
