// SPDX-License-Identifier: Apache-2.0

package access

import (
	"bytes"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// nameItems sets the apiVersion and kind of every item of a list. The API server omits them from the items of its
// built-in kinds, but the guest ABI promises them for all.
func nameItems(list []byte, gvk schema.GroupVersionKind) ([]byte, error) {
	var l struct {
		APIVersion string            `json:"apiVersion,omitempty"`
		Kind       string            `json:"kind,omitempty"`
		Metadata   json.RawMessage   `json:"metadata"`
		Items      []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(list, &l); err != nil {
		return nil, fmt.Errorf("decode the list: %w", err)
	}
	if l.Items == nil {
		l.Items = []json.RawMessage{}
	}
	// Both are names, which need no escaping.
	head := fmt.Sprintf(`{"apiVersion":%q,"kind":%q,`, gvk.GroupVersion(), gvk.Kind)
	for i, item := range l.Items {
		var named struct {
			Kind string `json:"kind"`
		}
		if err := json.Unmarshal(item, &named); err != nil {
			return nil, fmt.Errorf("decode item %d of the list: %w", i, err)
		}
		if rest, ok := bytes.CutPrefix(item, []byte("{")); ok && named.Kind == "" {
			l.Items[i] = append([]byte(head), rest...)
		}
	}
	return json.Marshal(l)
}
