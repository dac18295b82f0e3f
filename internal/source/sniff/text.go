// SPDX-License-Identifier: Apache-2.0

package sniff

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// isText reports whether the bytes are UTF-8 without control characters that do not occur in text. The last character
// may be cut off.
func isText(head []byte, cut bool) bool {
	for len(head) > 0 {
		r, size := utf8.DecodeRune(head)
		switch {
		case r == utf8.RuneError && size == 1:
			return cut && len(head) < utf8.UTFMax && !utf8.FullRune(head)
		case r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f':
			return false
		}
		head = head[size:]
	}
	return true
}

// beginning is the text with which a kind of text starts, after white space and in lower case.
type beginning struct {
	text    string
	content Content
}

// reset is the advice if a server or a tool returned a message in place of a file.
const reset = "download or build the module again, and store that"

var beginnings = []beginning{
	{"<!doctype html", Content{"an HTML page", reset}},
	{"<html", Content{"an HTML page", reset}},
	{"<?xml", Content{"XML text", reset}},
	{"<", Content{"HTML or XML text", reset}},
	{"{", Content{"JSON text", reset}},
	{"[", Content{"JSON text", reset}},
	{"version https://git-lfs.github.com/spec/", Content{"a Git LFS pointer", "run `git lfs pull`, and store the file that it fetches"}},
	{"data:", Content{"a data URL", storeAsIs}},
	{"(module", Content{"WebAssembly text (WAT)", "compile it with wat2wasm, and store the .wasm file"}},
	{"(;", Content{"WebAssembly text (WAT)", "compile it with wat2wasm, and store the .wasm file"}},
	{";;", Content{"WebAssembly text (WAT)", "compile it with wat2wasm, and store the .wasm file"}},
	{"#!", Content{"a script", storeAsIs}},
	{"apiversion:", Content{"a Kubernetes manifest (YAML)", "store the module that it names"}},
	{"http://", Content{"a URL", "store the module that it leads to: k1s does not download"}},
	{"https://", Content{"a URL", "store the module that it leads to: k1s does not download"}},
	{"-----begin ", Content{"PEM text", storeAsIs}},
}

// ofText returns the kind of a text.
func ofText(head []byte) Content {
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff")))
	lower := strings.ToLower(string(text))
	for _, b := range beginnings {
		if strings.HasPrefix(lower, b.text) {
			return b.content
		}
	}
	if magic, err := hex.DecodeString(lower[:min(len(lower), 8)]); err == nil && string(magic) == "\x00asm" {
		return Content{"hexadecimal text of a WebAssembly module", decodeFirst}
	}
	if c, ok := ofBase64(text); ok {
		return c
	}
	if len(text) == 0 {
		return Content{"white space", storeAsIs}
	}
	return Content{"text", storeAsIs}
}

// base64Least is the minimum length of text without spaces to be taken for base64, if the decoded data is of an unknown
// kind.
const base64Least = 64

// toStandard converts URL-safe base64 to the standard alphabet, and drops line breaks and padding.
var toStandard = strings.NewReplacer("-", "+", "_", "/", "=", "", "\r", "", "\n", "")

// ofBase64 returns the kind of data that a base64 text encodes. The text may be cut off.
func ofBase64(text []byte) (Content, bool) {
	digits := toStandard.Replace(string(text))
	decoded, err := base64.RawStdEncoding.DecodeString(digits[:len(digits)/4*4])
	if err != nil {
		return Content{}, false
	}
	for _, s := range signatures {
		if len(s.magic) > 2 && s.of(decoded) {
			return Content{"base64 text of " + s.content.What, decodeFirst}, true
		}
	}
	return Content{"base64 text", decodeFirst}, len(digits) >= base64Least
}
