// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/k1s-io/k1s/internal/abi"
	"github.com/k1s-io/k1s/internal/plugin"
)

// mergeCase is one of the vectors that every SDK with typed views has to pass.
type mergeCase struct {
	Name, Uncertain string
	Object, Want    map[string]any
	Edit            json.RawMessage
}

var podKey = abi.ObjectKey{APIVersion: "conformance.k1s.io/v1", Kind: "Pod", Namespace: "shop", Name: "web"}

// mergeCases reads the vectors and adds to the objects what they all have.
func mergeCases(t *testing.T) []mergeCase {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "merge.json"))
	if err != nil {
		t.Fatal(err)
	}
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

// decodeNumbers keeps numbers as they are written.
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

// check compares what a guest sent with the vector. Nothing means that the object is to stay as it is.
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

// oneObject is a host that has one object and keeps what it is updated to.
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

// mergeGuest holds a guest of an SDK against the vectors, in set_defaults and in reconcile.
func mergeGuest(t *testing.T, module []byte) {
	t.Helper()
	host := &oneObject{}
	g := load(t, module, host, host)
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

func TestGoSDK_merge(t *testing.T) {
	t.Parallel()
	mergeGuest(t, build(t, "sdk/go", "./internal/conformance"))
}
