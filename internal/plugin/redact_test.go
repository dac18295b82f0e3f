// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/abi"
)

func TestRedactor_forms(t *testing.T) {
	t.Parallel()
	const odd = `p"a\s<s>&w/ö rd`
	inJSON, err := json.Marshal(odd)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		secrets    []string
		text, want string
	}{
		"as it is":            {[]string{"hunter2"}, "password hunter2, again hunter2.", "password [redacted], again [redacted]."},
		"too short":           {[]string{"12345"}, "it is 12345", "it is 12345"},
		"just long enough":    {[]string{"123456"}, "it is 123456", "it is [redacted]"},
		"none":                {nil, "hunter2", "hunter2"},
		"empty":               {[]string{""}, "hunter2", "hunter2"},
		"one within another":  {[]string{"hunter2", "hunter2-long"}, "hunter2-long hunter2", "[redacted] [redacted]"},
		"in JSON":             {[]string{odd}, string(inJSON), `"[redacted]"`},
		"in JSON, plainly":    {[]string{odd}, `"p\"a\\s<s>&w/ö rd"`, `"[redacted]"`},
		"in a query":          {[]string{odd}, "?t=" + url.QueryEscape(odd), "?t=[redacted]"},
		"in a path":           {[]string{odd}, "/" + url.PathEscape(odd), "/[redacted]"},
		"in base64":           {[]string{"hunter2"}, base64.StdEncoding.EncodeToString([]byte("hunter2")), "[redacted]=="},
		"in base64 for URLs":  {[]string{"?>?>?>?>"}, base64.RawURLEncoding.EncodeToString([]byte("?>?>?>?>")), "[redacted]"},
		"a line feed dropped": {[]string{"hunter2\n"}, "hunter2", "[redacted]"},
		"a line of several":   {[]string{"first line\nsecond line\n"}, "said: second line", "said: [redacted]"},
		"several lines":       {[]string{"first line\nsecond line"}, "said: first line\nsecond line", "said: [redacted]"},
		"lines made spaces":   {[]string{"abc\ndef\nghi"}, "said: abc def ghi", "said: [redacted]"},
	} {
		if got := NewRedactor(tc.secrets...).Text(tc.text); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// Inside a longer text, a value starts at one of three offsets within a base64 group.
func TestRedactor_base64Within(t *testing.T) {
	t.Parallel()
	const secret = "correct horse battery"
	r := NewRedactor(secret)
	for before := range 7 {
		for after := range 4 {
			text := strings.Repeat("u", before) + secret + strings.Repeat("v", after)
			for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
				got := r.Text(encoding.EncodeToString([]byte(text)))
				if !strings.Contains(got, Redacted) || len(got) > len(Redacted)+before*4/3+after*4/3+8 {
					t.Errorf("%d before, %d after: %q", before, after, got)
				}
			}
		}
	}
}

// Wherever a text is cut, no part of a secret remains.
func TestRedactor_Cut(t *testing.T) {
	t.Parallel()
	const text = "The password is hunter2. Remember hunter2!"
	r := NewRedactor("hunter2")
	for limit := range len(text) + 5 {
		got := r.Cut(text, limit)
		for n := 2; n <= len("hunter2"); n++ { // one letter can be part of another word
			if strings.HasSuffix(got, "hunter2"[:n]) {
				t.Errorf("at %d: %q", limit, got)
			}
		}
		if strings.Contains(got, "hunter2") || limit >= len(text) && got != "The password is [redacted]. Remember [redacted]!" {
			t.Errorf("at %d: %q", limit, got)
		}
	}
	if got := (*Redactor)(nil).Cut(text, 10); got != text[:10] {
		t.Errorf("without secrets: %q", got)
	}
}

func TestRedactor_Error(t *testing.T) {
	t.Parallel()
	r := NewRedactor("hunter2")
	err := r.Error(fmt.Errorf("open hunter2.txt: %w", fs.ErrNotExist))
	if err.Error() != "open [redacted].txt: file does not exist" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	var changed *redactedError
	if harmless := errors.New("harmless"); errors.As(r.Error(harmless), &changed) || r.Error(nil) != nil {
		t.Error("an error without secrets is not the same any more")
	}
}

func TestRedactor_GuestError(t *testing.T) {
	t.Parallel()
	redacted := abi.GuestStatus{Reason: "hunter2", Message: strings.Repeat("x", maxStatusMessage-3) + "hunter2", Code: 422}
	err := NewRedactor("hunter2").GuestError("reconcile", redacted)
	text, marshalErr := json.Marshal(err.Status)
	if marshalErr != nil {
		t.Fatal(marshalErr)
	}
	if strings.Contains(string(text), "hunter2") || strings.Contains(string(text), "xhun") || err.Status.Code != 422 {
		t.Errorf("got %s", text[len(text)-300:])
	}
	if r := NewRedactor("Hunter2"); r.Word("Hunter2Said") != "Redacted" || r.Word("Said") != "Said" {
		t.Error("words")
	}
}

// For any secret and any text, the output does not contain the secret.
func FuzzRedactor(f *testing.F) {
	f.Add("hunter2", "a hunter2 b", 5)
	f.Add("aaaaaaa", "aaaaaaaaaaaaaa", 9)
	f.Add("redacted", "[redacted]", 3)
	f.Fuzz(func(t *testing.T, secret, text string, limit int) {
		if strings.Contains(Redacted, strings.TrimSpace(secret)) {
			t.Skip() // it is the replacement itself
		}
		r := NewRedactor(secret)
		got := r.Cut(text, max(limit, 0))
		if len(secret) >= minSecret && strings.Contains(got, secret) && !strings.ContainsAny(secret, "[]") {
			t.Errorf("%q is in %q", secret, got)
		}
	})
}
