// SPDX-License-Identifier: Apache-2.0

package k1stest

import (
	"slices"
	"strconv"
	"strings"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
)

type listRequest struct {
	APIVersion    string `json:"apiVersion"`
	Kind          string `json:"kind"`
	Namespace     string `json:"namespace"`
	LabelSelector string `json:"labelSelector"`
	FieldSelector string `json:"fieldSelector"`
	Limit         int    `json:"limit"`
	Continue      string `json:"continue"`
}

func (h *Host) list(request []byte) (any, *k1s.Error) {
	var r listRequest
	if err := decode(request, &r); err != nil {
		return nil, err
	}
	matches, err := parseSelectors(r.LabelSelector, r.FieldSelector)
	if err != nil {
		return nil, err
	}
	var found []objectKey
	for id, o := range h.store.objects {
		if id.ref == (k1s.TypeReference{APIVersion: r.APIVersion, Kind: r.Kind}) &&
			(r.Namespace == "" || r.Namespace == id.key.Namespace) &&
			id.key.String() > r.Continue && matches(id, o) {
			found = append(found, id)
		}
	}
	slices.SortFunc(found, func(a, b objectKey) int { return strings.Compare(a.key.String(), b.key.String()) })

	meta := object{"resourceVersion": strconv.Itoa(h.store.version)}
	if r.Limit > 0 && len(found) > r.Limit {
		found = found[:r.Limit]
		meta["continue"] = found[r.Limit-1].key.String()
	}
	items := make([]any, 0, len(found))
	for _, id := range found {
		items = append(items, h.store.objects[id])
	}
	return object{"metadata": meta, "items": items}, nil
}
