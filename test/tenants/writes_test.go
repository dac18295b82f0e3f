// SPDX-License-Identifier: Apache-2.0

package tenants

// writes try to change objects of another tenant, and cluster-scoped objects.
func writes() []trick {
	return []trick{
		{
			name: "create an Item in the other's namespace", plugin: plain,
			call:   call{function: creates, request: item(`"namespace":"{other}","name":"planted"`)},
			want:   []string{`allowlist: cannot create items`},
			record: "create items.inventory.example.com {other}/planted denied allowlist Forbidden",
		},
		{
			name: "create an Item in the namespace that is said last", plugin: plain,
			call:   call{function: creates, request: item(`"namespace":"{own}","name":"planted-last","namespace":"{other}"`)},
			want:   []string{`allowlist: cannot create items`},
			record: "create items.inventory.example.com {other}/planted-last denied allowlist Forbidden",
		},
		{
			name: "create an Item in one namespace, and say another in capitals", plugin: plain,
			call: call{function: creates, request: item(`"namespace":"{own}","name":"planted-cased","Namespace":"{other}","NAMESPACE":"{other}"`)},
			want: []string{`"namespace":"{own}"`}, harmless: true,
			record: "create items.inventory.example.com {own}/planted-cased allowed",
		},
		{
			name: "create an Item in no namespace", plugin: plain,
			call:   call{function: creates, request: item(`"name":"planted"`)},
			want:   []string{`is namespaced: give a namespace`},
			record: "create items.inventory.example.com /planted error BadRequest",
		},
		{
			name: "create an Item whose name is a path", plugin: plain,
			call:   call{function: creates, request: item(`"namespace":"{own}","name":"../../{other}/items/planted"`)},
			want:   []string{`Invalid`},
			record: "create items.inventory.example.com {own}/../../{other}/items/planted error Invalid",
		},
		{
			name: "update the other's Item", plugin: plain,
			call:   call{function: update, request: item(otherKey + `,"resourceVersion":"{version}"`)},
			want:   []string{`allowlist: cannot update items`},
			record: "update items.inventory.example.com {other}/private denied allowlist Forbidden",
		},
		{
			name: "update with two metadata", plugin: plain,
			call:   call{function: update, request: object(itemOf + `,"metadata":{` + ownKey + `},"metadata":{` + otherKey + `,"resourceVersion":"{version}"},"spec":{"name":"stolen"}`)},
			want:   []string{`allowlist: cannot update items`},
			record: "update items.inventory.example.com {other}/private denied allowlist Forbidden",
		},
		{
			name: "update one's own with the other's UID", plugin: plain,
			call:   call{function: update, request: item(ownKey + `,"uid":"{uid}","resourceVersion":"{version}"`)},
			want:   []string{`Conflict`},
			record: "update items.inventory.example.com {own}/private error Conflict",
		},
		{
			name: "apply the other's Item with force", plugin: plain,
			call:   call{function: apply, request: `{"force":true,"object":{` + itemOf + `,"metadata":{` + otherKey + `},"spec":{"name":"stolen"}}}`},
			want:   []string{`allowlist: cannot patch items`},
			record: "patch items.inventory.example.com {other}/private denied allowlist Forbidden",
		},
		{
			name: "patch the other's Item", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,` + otherKey + `,"patchType":"merge","patch":{"spec":{"name":"stolen"}}}`},
			want:   []string{`allowlist: cannot patch items`},
			record: "patch items.inventory.example.com {other}/private denied allowlist Forbidden",
		},
		{
			name: "put a finalizer on the other's Item", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,` + otherKey + `,"patchType":"json","patch":[{"op":"add","path":"/metadata/finalizers","value":["tricks.k1s.io/mine"]}]}`},
			want:   []string{`allowlist: cannot patch items`},
			record: "patch items.inventory.example.com {other}/private denied allowlist Forbidden",
		},
		{
			name: "make the other's Item depend on one's own", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,` + otherKey + `,"patchType":"merge","patch":{"metadata":{"ownerReferences":[{` + itemOf + `,"name":"private","uid":"{ownUID}"}]}}}`},
			want:   []string{`allowlist: cannot patch items`},
			record: "patch items.inventory.example.com {other}/private denied allowlist Forbidden",
		},
		{
			name: "a patch that moves an Item", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,` + ownKey + `,"patchType":"merge","patch":{"metadata":{"namespace":"{other}"}}}`},
			want:   []string{`does not match the namespace`},
			record: "patch items.inventory.example.com {own}/private error BadRequest",
		},
		{
			name: "a JSON patch that moves an Item", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,` + ownKey + `,"patchType":"json","patch":[{"op":"replace","path":"/metadata/namespace","value":"{other}"}]}`},
			want:   []string{`does not match the namespace`},
			record: "patch items.inventory.example.com {own}/private error BadRequest",
		},
		{
			name: "a JSON patch that renames an Item", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,` + ownKey + `,"patchType":"json","patch":[{"op":"replace","path":"/metadata/name","value":"stolen"}]}`},
			want:   []string{`does not match the name`},
			record: "patch items.inventory.example.com {own}/private error BadRequest",
		},
		{
			name: "a patch that makes another kind of an Item", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,` + ownKey + `,"patchType":"merge","patch":{"apiVersion":"v1","kind":"Secret","data":{}}}`},
			want:   []string{`"status":"Failure"`},
			record: "patch items.inventory.example.com {own}/private error BadRequest",
		},
		{
			name: "apply with one object in the key and another in the patch", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,` + ownKey + `,"patchType":"apply","force":true,"patch":{` + itemOf + `,"metadata":{` + otherKey + `},"spec":{"name":"stolen"}}}`},
			want:   []string{`"status":"Failure"`},
			record: "patch items.inventory.example.com {own}/private error BadRequest",
		},
		{
			name: "apply with one kind in the key and another in the patch", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,` + ownKey + `,"patchType":"apply","force":true,"patch":{` + secretOf + `,"metadata":{` + ownKey + `}}}`},
			want:   []string{`"status":"Failure"`},
			record: "patch items.inventory.example.com {own}/private error BadRequest",
		},
		{
			name: "write another's status", plugin: plain,
			call:   call{function: updateStatus, request: object(itemOf + `,"metadata":{` + otherKey + `,"resourceVersion":"{version}"},"status":{"availability":"Discontinued"}`)},
			want:   []string{`allowlist: cannot patch items.inventory.example.com/status`},
			record: "patch items.inventory.example.com/status {other}/private denied allowlist Forbidden",
		},
		{
			name: "patch another's status", plugin: plain,
			call:   call{function: patchStatus, request: `{` + itemOf + `,` + otherKey + `,"patchType":"merge","patch":{"status":{"availability":"Discontinued"}}}`},
			want:   []string{`capability: cannot patch`, `the status is written by apply only`},
			record: "patch Item.inventory.example.com/status {other}/private denied capability Forbidden",
		},
		{
			name: "apply another's status", plugin: plain,
			call:   call{function: patchStatus, request: `{` + itemOf + `,` + otherKey + `,"force":true,"patchType":"apply","patch":{` + itemOf + `,"metadata":{` + otherKey + `},"status":{"availability":"Discontinued"}}}`},
			want:   []string{`allowlist: cannot patch items.inventory.example.com/status`},
			record: "patch items.inventory.example.com/status {other}/private denied allowlist Forbidden",
		},
		{
			name: "delete the other's Item", plugin: plain,
			call:   call{function: deletes, request: `{` + itemOf + `,` + otherKey + `,"propagationPolicy":"Foreground"}`},
			want:   []string{`allowlist: cannot delete items`},
			record: "delete items.inventory.example.com {other}/private denied allowlist Forbidden",
		},
		{
			name: "delete all of a kind", plugin: plain,
			call:   call{function: deletes, request: `{` + itemOf + `,"namespace":"{other}","name":""}`},
			want:   []string{`name is empty`},
			record: "delete Item.inventory.example.com {other}/ error BadRequest",
		},
		{
			name: "delete one's own with the other's UID", plugin: plain,
			call:   call{function: deletes, request: `{` + itemOf + `,` + ownKey + `,"uid":"{uid}"}`},
			want:   []string{`Conflict`},
			record: "delete items.inventory.example.com {own}/private error Conflict",
		},
		{
			name: "create a List", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"v1","kind":"List","metadata":{"namespace":"{own}","name":"list"},"items":[{` + itemOf + `,"metadata":{"namespace":"{other}","name":"planted"},"spec":{"name":"stolen"}}]`)},
			want:   []string{`kind \"List\" of \"v1\" is not installed`},
			record: "create List {own}/list error BadRequest",
		},
		{
			name: "create a list of a kind", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"inventory.example.com/v1alpha1","kind":"ItemList","metadata":{"namespace":"{own}","name":"list"},"items":[{` + itemOf + `,"metadata":{"namespace":"{other}","name":"planted"},"spec":{"name":"stolen"}}]`)},
			want:   []string{`kind \"ItemList\" of \"inventory.example.com/v1alpha1\" is not installed`},
			record: "create ItemList.inventory.example.com {own}/list error BadRequest",
		},
		{
			name: "apply a list of a kind", plugin: plain,
			call:   call{function: apply, request: object(`"apiVersion":"inventory.example.com/v1alpha1","kind":"ItemList","metadata":{"namespace":"{own}","name":"list"},"items":[{` + itemOf + `,"metadata":{"namespace":"{other}","name":"planted"},"spec":{"name":"stolen"}}]`)},
			want:   []string{`kind \"ItemList\" of \"inventory.example.com/v1alpha1\" is not installed`},
			record: "patch ItemList.inventory.example.com {own}/list error BadRequest",
		},

		{
			name: "own something that belongs to the other, and block its deletion", plugin: plain,
			call: call{function: creates, request: item(`"namespace":"{own}","name":"dependent-of-other","ownerReferences":[{` + itemOf + `,"name":"private","uid":"{uid}","controller":true,"blockOwnerDeletion":true}]`)},
			want: []string{`"namespace":"{own}"`}, harmless: true,
			record: "create items.inventory.example.com {own}/dependent-of-other allowed",
		},
		{
			name: "depend on the other's Namespace", plugin: plain,
			call: call{function: creates, request: item(`"namespace":"{own}","name":"dependent-of-namespace","finalizers":["tricks.k1s.io/mine"],"ownerReferences":[{"apiVersion":"v1","kind":"Namespace","name":"{other}","uid":"{namespaceUID}","blockOwnerDeletion":true}]`)},
			want: []string{`"namespace":"{own}"`}, harmless: true,
			record: "create items.inventory.example.com {own}/dependent-of-namespace allowed",
		},
		{
			name: "forge who owns the fields", plugin: plain,
			call:   call{function: apply, request: `{"force":true,"object":{` + itemOf + `,"metadata":{"namespace":"{own}","name":"forged","managedFields":[{"manager":"k1s/{other}/plain","operation":"Apply","apiVersion":"inventory.example.com/v1alpha1","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{}}}]},"spec":{"name":"forged"}}}`},
			want:   []string{`managedFields must be nil`},
			record: "patch items.inventory.example.com {own}/forged error BadRequest",
		},
		{
			name: "apply as another field manager", plugin: plain,
			call: call{function: apply, request: `{"fieldManager":"k1s/{other}/plain","force":true,"object":{` + itemOf + `,"metadata":{"namespace":"{own}","name":"as-another"},"spec":{"name":"forged"}}}`},
			want: []string{`unknown field \"fieldManager\"`},
		},

		{
			name: "an unknown type of patch", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,` + ownKey + `,"patchType":"application/merge-patch+json","patch":{"spec":{"name":"x"}}}`},
			want:   []string{`want merge, json, strategic or apply`},
			record: "patch Item.inventory.example.com {own}/private error BadRequest",
		},
		{
			name: "a strategic patch of what has none", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,` + ownKey + `,"patchType":"strategic","patch":{"spec":{"name":"x"}}}`},
			want:   []string{`UnsupportedMediaType`},
			record: "patch items.inventory.example.com {own}/private error UnsupportedMediaType",
		},
		{
			name: "a merge patch that is a list", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,` + ownKey + `,"patchType":"merge","patch":[]}`},
			want:   []string{`"status":"Failure"`},
			record: "patch items.inventory.example.com {own}/private error BadRequest",
		},
		{
			name: "a merge patch that is null", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,` + ownKey + `,"patchType":"merge","patch":null}`},
			want:   []string{`"status":"Failure"`},
			record: "patch items.inventory.example.com {own}/private error BadRequest",
		},
	}
}
