// SPDX-License-Identifier: Apache-2.0

package k1s_test

import (
	"reflect"
	"testing"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

func TestObjectMeta_roundTrip(t *testing.T) {
	t.Parallel()
	const text = `{"name":"a","generateName":"a-","namespace":"shop","uid":"u","resourceVersion":"7","generation":2,` +
		`"creationTimestamp":"2026-01-01T00:00:00Z","deletionTimestamp":"2026-01-02T00:00:00Z",` +
		`"labels":{"a":"b"},"annotations":{"c":"d"},` +
		`"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"v","controller":true,"blockOwnerDeletion":true},` +
		`{"apiVersion":"v1","kind":"Node","name":"n","uid":"w"}],"finalizers":["x","y"]}`
	want := k1s.ObjectMeta{
		Name: "a", GenerateName: "a-", Namespace: "shop", UID: "u", ResourceVersion: "7", Generation: 2,
		CreationTimestamp: "2026-01-01T00:00:00Z", DeletionTimestamp: "2026-01-02T00:00:00Z",
		Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"},
		OwnerReferences: []k1s.OwnerReference{
			{TypeReference: k1s.TypeReference{APIVersion: "v1", Kind: "Pod"}, Name: "p", UID: "v", Controller: true, BlockOwnerDeletion: true},
			{TypeReference: k1s.TypeReference{APIVersion: "v1", Kind: "Node"}, Name: "n", UID: "w"},
		},
		Finalizers: []string{"x", "y"},
	}
	var got k1s.ObjectMeta
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if written, err := json.Marshal(&got); err != nil || string(written) != text {
		t.Errorf("written as %s, %v", written, err)
	}
	if !got.IsBeingDeleted() || !got.HasFinalizer("y") || got.HasFinalizer("z") {
		t.Error("IsBeingDeleted or HasFinalizer is wrong")
	}
}

func TestObjectMeta_emptyIsReplacedAndWrittenEmpty(t *testing.T) {
	t.Parallel()
	meta := k1s.ObjectMeta{Name: "old", Labels: map[string]string{"a": "b"}}
	if err := json.Unmarshal(`{"managedFields":[{"x":1}],"labels":null}`, &meta); err != nil {
		t.Fatal(err)
	}
	if written, _ := json.Marshal(&meta); string(written) != "{}" {
		t.Errorf("written as %s", written)
	}
}

func TestOwnedBy(t *testing.T) {
	t.Parallel()
	owner, err := k1s.ParseObject(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","uid":"u"}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := k1s.OwnerReference{
		TypeReference: k1s.TypeReference{APIVersion: "v1", Kind: "Pod"}, Name: "p", UID: "u", Controller: true,
	}
	if got := k1s.OwnedBy(owner); got != want {
		t.Errorf("got %+v", got)
	}
}
