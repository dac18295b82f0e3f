// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// mergeCase is one of the test vectors that every SDK with typed views has to pass.
type mergeCase struct {
	Name, Uncertain string
	Object, Want    map[string]any
	Edit            json.RawMessage
}

var podKey = abi.ObjectKey{APIVersion: "conformance.k1s.io/v1", Kind: "Pod", Namespace: "shop", Name: "web"}

// mergeCases reads the test vectors and adds the fields that all objects have.
func mergeCases(t *testing.T) []mergeCase {
	t.Helper()
	text := testfile.Read(t, "testdata", "merge.json")
	var file struct{ Cases []mergeCase }
	decodeNumbers(t, text, &file)
	if len(file.Cases) == 0 {
		t.Fatal("there are no vectors")
	}
	for _, c := range file.Cases {
		for _, object := range []map[string]any{c.Object, c.Want} {
			object["apiVersion"], object["kind"] = podKey.APIVersion, podKey.Kind
			object["metadata"] = map[string]any{
				"namespace": podKey.Namespace, "name": podKey.Name, "uid": "u1", "resourceVersion": "7",
				"annotations":   map[string]any{"edit": string(c.Edit)},
				"managedFields": []any{map[string]any{"manager": "kubectl"}},
			}
		}
	}
	return file.Cases
}

// decodeNumbers decodes JSON and keeps numbers as they are written.
func decodeNumbers(t *testing.T, text []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func (c mergeCase) object(t *testing.T) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(c.Object)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// check compares the object that a guest sent with the vector. An empty text means that the object stays as it is.
func (c mergeCase) check(t *testing.T, sent []byte, err error) {
	t.Helper()
	if c.Uncertain != "" && (err != nil || len(sent) == 0) {
		var call *plugin.CallError
		if !errors.As(err, &call) || call.Status == nil || call.Status.Reason != "InternalError" ||
			!strings.Contains(call.Status.Message, c.Uncertain) {
			t.Errorf("got %v, want an InternalError about %s", err, c.Uncertain)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got := c.Object
	if len(sent) > 0 {
		got = nil
		decodeNumbers(t, sent, &got)
		if reflect.DeepEqual(c.Object, c.Want) {
			t.Error("the guest sent an object that did not change")
		}
	}
	if diff := cmp.Diff(c.Want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// oneObject is a Host with one object, which records its updates.
type oneObject struct {
	plugin.Host // any other request ends the guest

	mu      sync.Mutex
	object  json.RawMessage
	updates []json.RawMessage
}

func (o *oneObject) put(object json.RawMessage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.object, o.updates = object, nil
}

func (o *oneObject) Get(context.Context, abi.ObjectKey) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.object, nil
}

func (o *oneObject) Update(_ context.Context, req abi.WriteRequest) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.updates = append(o.updates, bytes.Clone(req.Object))
	return req.Object, nil
}

// mergeGuest checks a guest of an SDK with the test vectors, in set_defaults and in reconcile.
func mergeGuest(t *testing.T, module []byte) {
	t.Helper()
	host := &oneObject{}
	g := load(t, module, host, host, 512)
	for _, c := range mergeCases(t) {
		t.Run("set_defaults: "+c.Name, func(t *testing.T) {
			reply, err := plugin.SetDefaults(t.Context(), g, abi.AdmissionRequest{ObjectKey: podKey, Object: c.object(t)})
			c.check(t, reply, err)
		})
		t.Run("reconcile: "+c.Name, func(t *testing.T) {
			host.put(c.object(t))
			_, err := plugin.Reconcile(t.Context(), g, abi.ReconcileRequest{ObjectKey: podKey, Object: c.object(t), Attempt: 1})
			host.mu.Lock()
			defer host.mu.Unlock()
			var sent []byte
			if len(host.updates) > 1 || err != nil && len(host.updates) > 0 {
				t.Errorf("%d updates, and the error %v", len(host.updates), err)
			} else if len(host.updates) == 1 {
				sent = host.updates[0]
			}
			c.check(t, sent, err)
		})
	}
}

// mergeLongLists checks that a guest does not compare all pairs of elements in lists of 10,000 elements.
func mergeLongLists(t *testing.T, module []byte) {
	t.Helper()
	const n = 10_000
	g := load(t, module, nil, nil, 4096)
	list := func(element func(i int) string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = element(i)
		}
		return strings.Join(all, ",")
	}
	for name, c := range map[string]struct{ spec, edit string }{
		"all move": {
			`"marks":[` + list(func(i int) string { return fmt.Sprintf(`{"level":%d,"x":1}`, i+1) }) + `]`,
			`{"op":"add","path":"/spec/marks/0","value":{"level":-1}}`,
		},
		"all are alike and one is removed": {
			`"marks":[` + list(func(int) string { return `{"level":1,"x":1}` }) + `]`, `{"op":"remove","path":"/spec/marks/0"}`,
		},
		"all are alike and move": {
			`"marks":[{"level":2},` + list(func(int) string { return `{"level":1,"x":1}` }) + `,{"level":3}]`,
			`{"op":"move","from":"/spec/marks/0","path":"/spec/marks/10000"},{"op":"move","from":"/spec/marks/10001","path":"/spec/marks/0"}`,
		},
		"names": {
			`"containers":[` + list(func(i int) string { return fmt.Sprintf(`{"name":"c%d","x":1}`, i) }) + `]`,
			`{"op":"add","path":"/spec/containers/0","value":{"name":"sidecar"}},{"op":"add","path":"/spec/containers/1/image","value":"i"}`,
		},
		"a map": {
			`"backends":{` + list(func(i int) string { return fmt.Sprintf(`"b%d":{"containerPort":1,"x":1}`, i) }) + `}`,
			`{"op":"add","path":"/spec/backends/new","value":{"containerPort":2}}`,
		},
	} {
		t.Run("long lists: "+name, func(t *testing.T) {
			object := fmt.Sprintf(`{"metadata":{"name":"web","annotations":{"edit":%q}},"spec":{%s}}`, "["+c.edit+"]", c.spec)
			reply, err := plugin.SetDefaults(t.Context(), g, abi.AdmissionRequest{ObjectKey: podKey, Object: json.RawMessage(object)})
			if err != nil {
				t.Fatal(err)
			}
			want, got := strings.Count(object, `"x":1`), strings.Count(string(reply), `"x":1`)
			if name == "all are alike and one is removed" {
				want--
			}
			if got != want {
				t.Errorf("%d elements have kept their field, want %d", got, want)
			}
		})
	}
}

func TestGoSDK_merge(t *testing.T) {
	t.Parallel()
	module := build(t, "sdk/go", "./internal/conformance")
	mergeGuest(t, module)
	mergeLongLists(t, module)
}
