// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"context"
	"errors"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// maxSecret is the maximum size of a secret, see package settings.
const maxSecret = 32 << 10

// reference is the simplest implementation of a Redactor: it replaces the longest form at the first position, and
// continues after it.
type reference struct {
	forms    []string
	replacer *strings.Replacer
}

func newReference(values ...string) *reference {
	r := &reference{}
	for _, v := range values {
		r.forms = append(r.forms, formsOf(v)...)
	}
	slices.SortFunc(r.forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
	pairs := []string{}
	for _, f := range slices.Compact(r.forms) {
		pairs = append(pairs, f, Redacted)
	}
	r.replacer = strings.NewReplacer(pairs...)
	return r
}

func (r *reference) begun(text string) int {
	most := 0
	for _, f := range r.forms {
		for n := min(len(f)-1, len(text)); n > most; n-- {
			if strings.HasSuffix(text, f[:n]) {
				most = n
				break
			}
		}
	}
	return most
}

// compare compares a Redactor with the reference.
func compare(t *testing.T, secrets []string, text string) {
	t.Helper()
	r, want := NewRedactor(secrets...), newReference(secrets...)
	if got, want := r.Text(text), want.replacer.Replace(text); got != want {
		t.Errorf("secrets %.200q in %.200q: got %.200q, want %.200q", secrets, text, got, want)
	}
	got, least := r.begun(text), want.begun(text)
	mostOfIt := func(form string) bool { // exact up to exactSamples, four fifths above
		return got > exactSamples && got < len(form) && strings.HasPrefix(form, text[len(text)-got:][:got*4/5])
	}
	if got < least || got > least && !slices.ContainsFunc(want.forms, mostOfIt) {
		t.Errorf("secrets %.200q begun at the end of %.200q: got %d, want %d", secrets, text, got, least)
	}
}

// An alphabet of two letters produces overlaps, repetitions and forms that contain the prefixes of others.
func TestRedactor_asTheReference(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	letters := func(n int) string {
		var out strings.Builder
		for range n {
			out.WriteByte("aab\n"[random.IntN(4)])
		}
		return out.String()
	}
	for range 1000 {
		secrets := make([]string, 1+random.IntN(4))
		text := letters(random.IntN(30))
		for i := range secrets {
			secrets[i] = letters(random.IntN(90))
			text += secrets[i][:random.IntN(len(secrets[i])+1)] + letters(random.IntN(8)) + secrets[i] + letters(random.IntN(3))
		}
		compare(t, secrets, text)
		compare(t, secrets, text+secrets[0][:random.IntN(len(secrets[0])+1)])
	}
}

func FuzzRedactor_asTheReference(f *testing.F) {
	f.Add("hunter2", "hunter2-long", "a hunter2-lon hunter2-long b")
	f.Add("aaaaaaa", "aaaaaaaaab", "aaaaaaaaaaaaaaaaaaab")
	f.Add("line one\nline two\n", "line on", "said line one line two")
	f.Fuzz(func(t *testing.T, one, two, text string) {
		if len(one)+len(two)+len(text) > 4<<10 {
			t.Skip() // the reference is slow
		}
		compare(t, []string{one, two}, text)
	})
}

// growing returns a secret whose lines are prefixes of each other.
func growing() string {
	var out strings.Builder
	for n := minSecret; out.Len() < maxSecret-300; n++ {
		out.WriteString(strings.Repeat("a", n) + "b\n")
	}
	return out.String()
}

// adversarial are secrets and texts that are hard to search: each position looks like the beginning of many forms.
var adversarial = map[string]struct {
	secrets []string
	text    string
}{
	"almost, at each position":     {[]string{strings.Repeat("a", maxSecret-1) + "b"}, strings.Repeat("a", 1<<20)},
	"lines of growing length":      {[]string{growing()}, strings.Repeat("a", 1<<20)},
	"lines, and their ends":        {[]string{growing()}, strings.Repeat(strings.Repeat("a", 255)+"c", 1<<12)},
	"many short lines":             {[]string{strings.Repeat("secret\nbecret\nsecres\n", maxSecret/21)}, strings.Repeat("secre", 200_000)},
	"found again and again":        {[]string{"aaaaaa", strings.Repeat("a", maxSecret)}, strings.Repeat(strings.Repeat("a", maxSecret-1)+"-", 32)},
	"two secrets that take turns":  {[]string{strings.Repeat("ab", 8000) + "c", strings.Repeat("ba", 8000) + "c"}, strings.Repeat("ab", 1<<19)},
	"base64 of what is everywhere": {[]string{strings.Repeat("\x00", maxSecret-1) + "b"}, strings.Repeat("A", 1<<20)},
}

// The work is linear in the length of the text, whatever the secrets are.
func TestRedactor_linear(t *testing.T) {
	t.Parallel()
	for name, tc := range adversarial {
		r := NewRedactor(tc.secrets...)
		table := r.prefixes
		longest, perByte := table.lengths[len(table.lengths)-1].bytes, bits.Len(uint(len(table.lengths)))
		for _, text := range []string{tc.text, tc.text[:len(tc.text)/2]} {
			s := newSearch(table, text)
			if _, err := s.replace(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s.lookups > len(text)*perByte || s.hash.hashed > len(text) {
				t.Errorf("%s: %d look-ups and %d hashed bytes for %d bytes, among %d lengths", name, s.lookups, s.hash.hashed, len(text), len(table.lengths))
			}
			s = newSearch(table, text)
			s.begun()
			if s.lookups > longest || s.hash.hashed > 2*longest {
				t.Errorf("%s: %d look-ups and %d hashed bytes for the end of a text", name, s.lookups, s.hash.hashed)
			}
		}
		// The size of the tables does not grow with the length of the secrets.
		if entries, most := len(table.marks)+len(table.begun), maxSecret*len(tc.secrets)*5; entries > most {
			t.Errorf("%s: %d entries, more than %d", name, entries, most)
		}
	}
}

func TestRedactor_ends(t *testing.T) {
	t.Parallel()
	r := NewRedactor("hunter2")
	text := strings.Repeat("no such thing ", 1<<16) + "hunter2"
	ended, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if got, err := r.TextContext(ended, text); got != "" || !errors.Is(err, enough) {
		t.Errorf("Text: got %d bytes, %v", len(got), err)
	}
	if got, err := r.CutContext(ended, text, len(text)-2); got != "" || !errors.Is(err, enough) {
		t.Errorf("Cut: got %d bytes, %v", len(got), err)
	}
	if got, err := r.TextContext(t.Context(), text); err != nil || !strings.HasSuffix(got, Redacted) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if got, err := (*Redactor)(nil).TextContext(ended, "text"); err != nil || got != "text" {
		t.Errorf("without secrets: %q, %v", got, err)
	}
}

func BenchmarkRedactor(b *testing.B) {
	for name, tc := range adversarial {
		text := tc.text[:64<<10]
		b.Run(name+"/Redactor", func(b *testing.B) {
			r := NewRedactor(tc.secrets...)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				r.Text(text)
			}
		})
		b.Run(name+"/Replacer", func(b *testing.B) {
			r := newReference(tc.secrets...)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				r.replacer.Replace(text)
			}
		})
	}
	b.Run("log line/Redactor", func(b *testing.B) {
		benchmarkLine(b, NewRedactor("correct-horse-battery").Text)
	})
	b.Run("log line/Replacer", func(b *testing.B) {
		benchmarkLine(b, newReference("correct-horse-battery").replacer.Replace)
	})
}

func benchmarkLine(b *testing.B, clean func(string) string) {
	line := strings.Repeat("reconciled shop/hammer in 3 ms; ", 32)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		clean(line)
	}
}
