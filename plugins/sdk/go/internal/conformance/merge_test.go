// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
	"github.com/k1s-io/k1s/plugins/sdk/go/k1stest"
)

// vector is one case of test/conformance/testdata/merge.json.
type vector struct {
	Name, Uncertain string
	Object, Want    map[string]any
	Edit            stdjson.RawMessage
}

func vectors(t *testing.T) []vector {
	t.Helper()
	root := filepath.Join("..", "..", "..", "..", "..")
	if _, err := os.Stat(filepath.Join(root, "docs", "spec", "abi.md")); errors.Is(err, fs.ErrNotExist) {
		t.Skip("the module is not in its repository")
	}
	text, err := os.ReadFile(filepath.Join(root, "test", "conformance", "testdata", "merge.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []vector }
	decode(t, text, &file)
	if len(file.Cases) == 0 {
		t.Fatal("there are no vectors")
	}
	for _, v := range file.Cases {
		for _, object := range []map[string]any{v.Object, v.Want} {
			object["apiVersion"], object["kind"] = "conformance.k1s.io/v1", "Pod"
			object["metadata"] = map[string]any{"namespace": "shop", "name": "web", "annotations": map[string]any{"edit": string(v.Edit)}}
		}
	}
	return file.Cases
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	d := stdjson.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // numbers have to stay as they are written
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	text, err := stdjson.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// check compares the result of an edit with the vector. An empty text means that nothing was changed.
func (v vector) check(t *testing.T, text string, err error) {
	t.Helper()
	if v.Uncertain != "" {
		if k1s.ReasonOf(err) != k1s.ReasonInternalError || !strings.Contains(err.Error(), v.Uncertain) {
			t.Errorf("got %s, %v, want an InternalError about %s", text, err, v.Uncertain)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if unchanged := reflect.DeepEqual(v.Object, v.Want); text == "" || unchanged {
		if text != "" || !unchanged {
			t.Errorf("got %q", text)
		}
		return
	}
	var got map[string]any
	decode(t, []byte(text), &got)
	if !reflect.DeepEqual(got, v.Want) {
		t.Errorf("got  %s\nwant %s", encode(t, got), encode(t, v.Want))
	}
}

func TestDefault_vectors(t *testing.T) {
	t.Parallel()
	handler := k1s.Default(editPod)
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			input := `{"apiVersion":"conformance.k1s.io/v1","kind":"Pod","name":"web","object":` + encode(t, v.Object) + `}`
			reply, err := handler.Handle(context.Background(), k1s.OperationCreate, json.Raw(input))
			v.check(t, string(reply), err)
		})
	}
}

func TestEdit_vectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			host := k1stest.New(t)
			host.AddJSON(encode(t, v.Object))
			_, err := host.Reconcile(k1s.For[Pod](k1s.ReconcileFunc[*Pod](reconcilePod)), k1s.Key{Namespace: "shop", Name: "web"})
			writes := host.Writes()
			if v.Uncertain != "" && len(writes) > 0 {
				t.Errorf("it was written all the same: %+v", writes)
			}
			var sent string
			if len(writes) == 1 && writes[0].Verb == k1stest.VerbUpdate {
				object, _ := writes[0].Request.Get("object")
				sent = string(object)
				for _, name := range []string{"uid", "resourceVersion", "generation", "creationTimestamp"} {
					if object, err := json.Raw(sent).Remove("metadata", name); err == nil {
						sent = string(object)
					}
				}
			}
			v.check(t, sent, err)
		})
	}
}
