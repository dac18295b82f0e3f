// SPDX-License-Identifier: Apache-2.0

// Package table reads the cases of table tests from YAML files.
package table

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"
)

// Read returns the cases in a file of the test's folder testdata. Each case has a name and the fields of T, whose names
// in the file start with a small letter. An unknown field fails the test.
func Read[T any](t testing.TB, file string) []T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var cases []T
	if err := yaml.UnmarshalStrict(text, &cases); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s has no cases", file)
	}
	return cases
}

// JSON is a JSON text of a case. In the file, it is the YAML of the value, or a string with the text, where its exact
// form matters: duplicate members, or text that is not valid JSON.
type JSON string

// UnmarshalJSON implements json.Unmarshaler.
func (j *JSON) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, (*string)(j))
	}
	*j = JSON(data)
	return nil
}
