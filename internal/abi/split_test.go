// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/k1s-io/k1s/internal/testenv/table"
)

// TestHTTPRequest_decode_headers verifies that of 1.5 million headers no more are decoded than a request can have.
func TestHTTPRequest_decode_headers(t *testing.T) {
	t.Parallel()
	var payload bytes.Buffer
	payload.WriteString(`{"url":"https://a.example/","headers":{`)
	for i := range 1_500_000 {
		if i > 0 {
			payload.WriteByte(',')
		}
		fmt.Fprintf(&payload, `"h%d":""`, i)
	}
	payload.WriteString(`}}`)
	var req HTTPRequest
	if err := Decode(payload.Bytes(), &req); err == nil || !strings.Contains(err.Error(), "more than 64 headers") || len(req.Headers) > MaxHTTPRequestHeaders {
		t.Errorf("got %v and %d headers", err, len(req.Headers))
	}
}

func TestHTTPRequest_decode(t *testing.T) {
	t.Parallel()
	type httpCase struct{ Name, Payload, Err, Content string }
	for _, tt := range table.Read[httpCase](t, "http.yaml") {
		var req HTTPRequest
		err := Decode([]byte(tt.Payload), &req)
		var content []byte
		if err == nil {
			content, err = req.Content()
		}
		if tt.Err == "" && (err != nil || string(content) != tt.Content) || tt.Err != "" && (err == nil || !strings.Contains(err.Error(), tt.Err)) {
			t.Errorf("%s: got %q, %v, want %q, %q", tt.Name, content, err, tt.Content, tt.Err)
		}
	}
}

func TestCheckValues(t *testing.T) {
	t.Parallel()
	for payload, count := range map[string]int{`{}`: 2, `[{},{},{}]`: 7, `{"a":"{,,,\",","b":[]}`: 4} {
		if err := CheckValues([]byte(payload), count); err != nil {
			t.Errorf("%s: %v", payload, err)
		}
		if err := CheckValues([]byte(payload), count-1); err == nil {
			t.Errorf("%s: no more than %d are counted", payload, count-1)
		}
	}
}

// FuzzSplit checks that JSON is split into the parts that encoding/json finds, and that no part of any input is outside
// the input.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":[{},"]"]}`, `[1, "a,b" , {"x":[[]]}, null]`, `{"a`, `[}`, `["\\",]`, `{"\"":{}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var names, values []string
		err := eachMember(text, func(name, value []byte) error {
			names, values = append(names, string(name)), append(values, string(value))
			return nil
		})
		var object map[string]json.RawMessage
		if json.Unmarshal(text, &object) == nil && object != nil {
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			for i, quoted := range names {
				name, err := unquote([]byte(quoted))
				if err != nil {
					t.Fatalf("%q: %v", text, err)
				}
				if i == len(names)-1 && string(object[name]) != values[i] {
					t.Errorf("%q: %s is %q, want %q", text, name, values[i], object[name])
				}
			}
		}
		var elements []json.RawMessage
		err = eachElement(text, func(value []byte) error {
			elements = append(elements, value)
			return nil
		})
		var want []json.RawMessage
		if json.Unmarshal(text, &want) == nil && want != nil {
			if err != nil || fmt.Sprintf("%s", elements) != fmt.Sprintf("%s", want) {
				t.Errorf("%q: got %s, %v, want %s", text, elements, err, want)
			}
		}
	})
}
