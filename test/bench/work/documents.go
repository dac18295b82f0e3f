// SPDX-License-Identifier: Apache-2.0

package work

import (
	"bytes"
	_ "embed"
	"fmt"

	"github.com/k1s-io/k1s/internal/abi"
)

//go:embed item.json
var item []byte

//go:embed category.json
var category []byte

// Item returns the object that is reconciled, as it is in the operator's cache.
func Item() []byte { return bytes.TrimSpace(item) }

// Category returns the Category that the Item refers to.
func Category() []byte { return bytes.TrimSpace(category) }

// Request returns the request of the reconcile.
func Request() abi.ReconcileRequest {
	return abi.ReconcileRequest{
		ObjectKey: abi.ObjectKey{APIVersion: "inventory.example.com/v1alpha1", Kind: "Item", Namespace: "shop", Name: "laptop-14"},
		Object:    Item(), Attempt: 1,
	}
}

// Input returns the request in JSON, which is the input of the export reconcile.
func Input() []byte {
	input, err := abi.AppendReconcileRequest(nil, Request())
	if err != nil {
		panic(err) // only a programming error can cause this
	}
	return input
}

// ItemNamed returns the Item with another name and quantity, so that the results differ.
func ItemNamed(name string, quantity int) []byte {
	object := bytes.Replace(Item(), []byte(`"name":"laptop-14"`), fmt.Appendf(nil, `"name":%q`, name), 1)
	return bytes.Replace(object, []byte(`"quantity":12`), fmt.Appendf(nil, `"quantity":%d`, quantity), 1)
}

// CategoryKey returns the key of the object that the guests read.
func CategoryKey() abi.ObjectKey {
	return abi.ObjectKey{APIVersion: "inventory.example.com/v1alpha1", Kind: "Category", Namespace: "shop", Name: "laptops"}
}
