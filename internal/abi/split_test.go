// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
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
	for name, tt := range map[string]struct{ payload, err, content string }{
		"text":                {`{"url":"u","body":"a\u0062"}`, "", "ab"},
		"bytes":               {` { "url" : "u" , "bodyBase64" : "YWI=" } `, "", "ab"},
		"nothing":             {`{}`, "", ""},
		"null":                {`null`, "", ""},
		"both bodies":         {`{"body":"a","bodyBase64":"YWI="}`, "both set", ""},
		"a body that is none": {`{"body":1}`, "body: ", ""},
		"unknown":             {`{"uri":"u"}`, `unknown field "uri"`, ""},
		"a header twice":      {`{"headers":{"a":"1","a":"2"}}`, `"a" is given twice`, ""},
		"headers in a list":   {`{"headers":[]}`, "want {…}", ""},
		"cut":                 {`{"url":"u"`, "want {…}", ""},
		"two":                 {`{"url":"u"}{"url":"u"}`, "not valid JSON", ""},
	} {
		var req HTTPRequest
		err := Decode([]byte(tt.payload), &req)
		var content []byte
		if err == nil {
			content, err = req.Content()
		}
		if tt.err == "" && (err != nil || string(content) != tt.content) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: got %q, %v, want %q, %q", name, content, err, tt.content, tt.err)
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
