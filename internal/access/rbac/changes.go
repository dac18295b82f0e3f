// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Subject is a subject of a binding, as far as it includes ServiceAccounts: one ServiceAccount, all ServiceAccounts of
// a namespace (ServiceAccount is empty), or all ServiceAccounts (both are empty).
type Subject struct {
	Namespace      string
	ServiceAccount string
}

// Change is a change of the permissions of a subject: in one namespace, or everywhere if Namespace is empty. The zero
// Change affects all permissions.
type Change struct {
	Subject   Subject
	Namespace string
}

// Affects reports whether a change can affect the permissions of an identity in one of the namespaces. The empty
// namespace stands for permissions that hold in all namespaces, which no Role or RoleBinding can grant.
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

// mark is the last change that affects a decision. The zero mark means that there was none.
type mark struct {
	number uint64
	at     time.Time
}

const (
	// maxMarks is how many changes are recorded separately. One takes about 200 bytes.
	maxMarks = 10_000
	// keepMarks is how long changes are recorded at least. No decision is older.
	keepMarks = 2 * (allowFor + reviewTimeout)
)

// ledger records when permissions last changed, by the subject and namespace that the change affects.
type ledger struct {
	clock clock.PassiveClock

	mu     sync.RWMutex
	number uint64
	marks  map[Change]mark
}

func newLedger(clk clock.PassiveClock) *ledger {
	return &ledger{clock: clk, marks: map[Change]mark{}}
}

// note records changes.
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
	if len(l.marks) > maxMarks { // too many to record separately: everything counts as changed
		l.marks = map[Change]mark{{}: now}
	}
}

// last returns the last change that affects the permissions of an identity in a namespace.
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
