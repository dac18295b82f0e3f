// SPDX-License-Identifier: Apache-2.0

package tenants

import "strings"

// reads try to read objects of another tenant.
func reads() []trick {
	return []trick{
		{
			name: "get an Item of the other, which is in the shared cache", plugin: plain,
			call:   call{function: get, request: `{` + itemOf + `,` + otherKey + `}`},
			want:   []string{`allowlist: cannot get items.inventory.example.com \"private\" in namespace \"{other}\"`},
			record: "get items.inventory.example.com {other}/private denied allowlist Forbidden",
		},
		{
			name: "list the other's Items", plugin: plain,
			call:   call{function: list, request: `{` + itemOf + `,"namespace":"{other}"}`},
			want:   []string{`allowlist: cannot list items.inventory.example.com in namespace \"{other}\"`},
			record: "list items.inventory.example.com {other}/ denied allowlist Forbidden",
		},
		{
			name: "list the Items of all namespaces", plugin: plain,
			call:   call{function: list, request: `{` + itemOf + `}`},
			want:   []string{`allowlist: cannot list items.inventory.example.com in all namespaces`},
			record: "list items.inventory.example.com / denied allowlist Forbidden",
		},
		{
			name: "list the Items of all namespaces, and select the other's by field", plugin: plain,
			call:   call{function: list, request: `{` + itemOf + `,"fieldSelector":"metadata.namespace={other}"}`},
			want:   []string{`allowlist: cannot list items.inventory.example.com in all namespaces`},
			record: "list items.inventory.example.com / denied allowlist Forbidden",
		},
		{
			name: "select the other's Items by field from one's own", plugin: plain,
			call: call{function: list, request: `{` + itemOf + `,"namespace":"{own}","fieldSelector":"metadata.namespace={other}"}`},
			want: []string{`"items":[]`}, harmless: true,
		},
		{
			name: "select one's own by a label that says more", plugin: plain,
			call:   call{function: list, request: `{` + itemOf + `,"namespace":"{own}","labelSelector":"a=b&namespace={other}"}`},
			want:   []string{`labelSelector: `},
			record: "list Item.inventory.example.com {own}/ error BadRequest",
		},
		{
			name: "go on with the list of another namespace", plugin: plain,
			call: call{function: list, request: `{` + itemOf + `,"namespace":"{own}","limit":5,"continue":"{continueOther}"}`},
			want: []string{`"items":`}, harmless: true,
		},
		{
			name: "go on with the list of all namespaces", plugin: plain,
			call: call{function: list, request: `{` + itemOf + `,"namespace":"{own}","limit":5,"continue":"{continueAll}"}`},
			want: []string{`"items":`}, harmless: true,
		},
		{
			name: "go on with a list from above one's namespace", plugin: plain,
			call:   call{function: list, request: `{` + itemOf + `,"namespace":"{own}","limit":5,"continue":"{continueUp}"}`},
			want:   []string{`continue key is not valid`},
			record: "list items.inventory.example.com {own}/ error BadRequest",
		},
		{
			name: "continue with another parameter", plugin: plain,
			call:   call{function: list, request: `{` + itemOf + `,"namespace":"{own}","limit":5,"continue":"x&namespace={other}"}`},
			want:   []string{`continue key is not valid`},
			record: "list items.inventory.example.com {own}/ error BadRequest",
		},
		{
			name: "a name that leads to another namespace", plugin: plain,
			call:   call{function: get, request: `{` + itemOf + `,"namespace":"{own}","name":"../../{other}/items/private"}`},
			want:   []string{`may not contain '/'`},
			record: "get items.inventory.example.com {own}/../../{other}/items/private error BadRequest",
		},
		{
			name: "a name that leads up", plugin: plain,
			call:   call{function: get, request: `{` + itemOf + `,"namespace":"{own}","name":".."}`},
			want:   []string{`may not be '..'`},
			record: "get items.inventory.example.com {own}/.. error BadRequest",
		},
		{
			name: "a name with an escaped slash", plugin: plain,
			call:   call{function: get, request: `{` + itemOf + `,"namespace":"{own}","name":"..%2f..%2f{other}%2fitems%2fprivate"}`},
			want:   []string{`may not contain '%'`},
			record: "get items.inventory.example.com {own}/..%2f..%2f{other}%2fitems%2fprivate error BadRequest",
		},
		{
			name: "a name with a query", plugin: plain,
			call: call{function: get, request: `{` + configOf + `,"namespace":"{own}","name":"x?namespace={other}"}`},
			want: []string{`not found`},
		},
		{
			name: "a namespace that goes on", plugin: plain,
			call:   call{function: get, request: `{` + itemOf + `,"namespace":"{own}/../{other}","name":"private"}`},
			want:   []string{`may not contain '/'`},
			record: "get items.inventory.example.com {own}/../{other}/private error BadRequest",
		},
		{
			name: "a namespace that leads up", plugin: plain,
			call:   call{function: list, request: `{` + itemOf + `,"namespace":".."}`},
			want:   []string{`may not be '..'`},
			record: "list items.inventory.example.com ../ error BadRequest",
		},
		{
			name: "the namespace in capitals", plugin: plain,
			call:   call{function: get, request: `{` + itemOf + `,"namespace":"{OTHER}","name":"private"}`},
			want:   []string{`allowlist: cannot get`},
			record: "get items.inventory.example.com {OTHER}/private denied allowlist Forbidden",
		},
		{
			name: "the namespace twice", plugin: plain,
			call:   call{function: get, request: `{` + itemOf + `,"namespace":"{own}","namespace":"{other}","name":"private"}`},
			want:   []string{`allowlist: cannot get`},
			record: "get items.inventory.example.com {other}/private denied allowlist Forbidden",
		},
		{
			name: "the namespace in two cases", plugin: plain,
			call:   call{function: list, request: `{` + itemOf + `,"namespace":"{own}","Namespace":"{other}"}`},
			want:   []string{`allowlist: cannot list`},
			record: "list items.inventory.example.com {other}/ denied allowlist Forbidden",
		},
		{
			name: "an apiVersion that goes on", plugin: plain,
			call: call{function: get, request: `{"apiVersion":"inventory.example.com/v1alpha1/namespaces/{other}","kind":"Item",` + ownKey + `}`},
			want: []string{`BadRequest`},
		},
		{
			name: "a kind that goes on", plugin: plain,
			call: call{function: get, request: `{"apiVersion":"v1","kind":"Secret/../configmaps",` + ownKey + `}`},
			want: []string{`BadRequest`},
		},
		{
			name: "get one's own Secret", plugin: plain,
			call:   call{function: get, request: `{` + secretOf + `,` + ownKey + `}`},
			want:   []string{`User \"system:serviceaccount:{own}:plugin\" cannot get resource \"secrets\"`},
			record: "get secrets {own}/private denied apiserver Forbidden",
		},
		{
			name: "list one's own Secrets", plugin: plain,
			call:   call{function: list, request: `{` + secretOf + `,"namespace":"{own}"}`},
			want:   []string{`User \"system:serviceaccount:{own}:plugin\" cannot list resource \"secrets\"`},
			record: "list secrets {own}/ denied apiserver Forbidden",
		},
		{
			name: "get the other's Secret", plugin: plain,
			call:   call{function: get, request: `{` + secretOf + `,` + otherKey + `}`},
			want:   []string{`allowlist: cannot get secrets`},
			record: "get secrets {other}/private denied allowlist Forbidden",
		},
		{
			name: "list all Secrets", plugin: plain,
			call:   call{function: list, request: `{` + secretOf + `}`},
			want:   []string{`allowlist: cannot list secrets`},
			record: "list secrets / denied allowlist Forbidden",
		},
		{
			name: "get the other's ConfigMap, which one's own account may do in one's own namespace", plugin: plain,
			call:   call{function: get, request: `{` + configOf + `,` + otherKey + `}`},
			want:   []string{`allowlist: cannot get configmaps`},
			record: "get configmaps {other}/private denied allowlist Forbidden",
		},
		{
			name: "get the other's Namespace", plugin: plain,
			call:   call{function: get, request: `{"apiVersion":"v1","kind":"Namespace","name":"{other}"}`},
			want:   []string{`allowlist: cannot get namespaces`, `(cluster-scoped)`},
			record: "get namespaces /{other} denied allowlist Forbidden",
		},
		{
			name: "read one's own WasmPlugin", plugin: plain,
			call:   call{function: get, request: `{"apiVersion":"plugins.k1s.io/v1alpha1","kind":"WasmPlugin","namespace":"{own}","name":"plain"}`},
			want:   []string{`cannot get resource \"wasmplugins\"`},
			record: "get wasmplugins.plugins.k1s.io {own}/plain denied apiserver Forbidden",
		},
		{
			name: "what the account may get but the allowlist does not have", plugin: listed,
			call:   call{function: get, request: `{` + configOf + `,` + ownKey + `}`},
			want:   []string{`allowlist: cannot get configmaps`, `security.allowedResources does not have`},
			record: "get configmaps {own}/private denied allowlist Forbidden",
		},

		// This plugin's allowedNamespaces include the namespace of the other tenant, and it is allowed to list and
		// watch Categories there.
		{
			name: "get a Category from the cache with the rights to list and watch alone", plugin: wide,
			call:   call{function: get, request: `{` + categoryOf + `,` + otherKey + `}`},
			want:   []string{`rbac: cannot get categories.inventory.example.com \"private\" in namespace \"{other}\"`, `ServiceAccount \"wide\" lacks this permission`},
			record: "get categories.inventory.example.com {other}/private denied rbac Forbidden",
		},
		{
			name: "list the Categories that the other lets one list", plugin: wide,
			call: call{function: list, request: `{` + categoryOf + `,"namespace":"{other}"}`},
			want: []string{`"items":[{`}, harmless: true, // only the beginning of a long list is logged, which may be any of them
		},
		{
			name: "list the Categories of all namespaces", plugin: wide,
			call:   call{function: list, request: `{` + categoryOf + `}`},
			want:   []string{`allowlist: cannot list categories.inventory.example.com in all namespaces`},
			record: "list categories.inventory.example.com / denied allowlist Forbidden",
		},
		{
			name: "get an Item that another plugin has put into the cache", plugin: wide,
			call:   call{function: get, request: `{` + itemOf + `,` + otherKey + `}`},
			want:   []string{`User \"system:serviceaccount:{own}:wide\" cannot get resource \"items\"`},
			record: "get items.inventory.example.com {other}/private denied apiserver Forbidden",
		},
		{
			name: "list Items that another plugin has put into the cache", plugin: wide,
			call:   call{function: list, request: `{` + itemOf + `,"namespace":"{other}"}`},
			want:   []string{`User \"system:serviceaccount:{own}:wide\" cannot list resource \"items\"`},
			record: "list items.inventory.example.com {other}/ denied apiserver Forbidden",
		},
		{
			name: "get a Secret where one is allowed to watch something else", plugin: wide,
			call:   call{function: get, request: `{` + secretOf + `,` + otherKey + `}`},
			want:   []string{`User \"system:serviceaccount:{own}:wide\" cannot get resource \"secrets\"`},
			record: "get secrets {other}/private denied apiserver Forbidden",
		},
		{
			name: "a selector that keeps the host busy", plugin: wide,
			call:   call{function: list, request: `{` + categoryOf + `,"namespace":"{other}","labelSelector":"a in (` + strings.Repeat("x,", 20_000) + `y)"}`},
			want:   []string{`labelSelector has `},
			record: "list Category.inventory.example.com {other}/ error BadRequest",
		},
	}
}
