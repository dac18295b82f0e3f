// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestHTTPResponse_body verifies that every body is decoded as it was, and that its encoding has at most twice its
// size, so that the largest body fits into a payload.
func TestHTTPResponse_body(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		piece string
		text  bool
	}{
		"letters":            {"a", true},
		"quotes":             {`"`, true},
		"backslashes":        {`\`, true},
		"lines":              {"\r\n\t", true},
		"HTML":               {"<&>", true},
		"line separators":    {"\u2028\u2029", true},
		"other scripts":      {"ü𝄞\ufffd", true},
		"DEL":                {"\x7f", true},
		"control characters": {"\x01", false},
		"form feeds":         {"\f", false},
		"no UTF-8":           {"\xff", false},
		"half a character":   {"a\xc3", false},
		"NUL":                {"\x00", false},
	} {
		body := []byte(strings.Repeat(tc.piece, 10_000))
		r := HTTPResponse{Status: 200}
		r.SetBody(body)
		text, err := r.Append([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		text, ok := bytes.CutPrefix(text, []byte("before"))
		if !ok || len(text) > 2*len(body)+100 {
			t.Errorf("%s: %d bytes become %d", name, len(body), len(text))
		}
		var got HTTPResponse
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if (got.Body != "") != tc.text || got.Body+string(got.BodyBase64) != string(body) {
			t.Errorf("%s: text %v, want %v; or the body is another", name, got.Body != "", tc.text)
		}
	}
	empty := HTTPResponse{Status: 204}
	empty.SetBody(nil)
	if text, err := empty.Append(nil); err != nil || string(text) != `{"status":204}` {
		t.Errorf("without a body: %s, %v", text, err)
	}
}
