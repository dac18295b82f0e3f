// SPDX-License-Identifier: Apache-2.0

package tenants

// powers try to gain permissions, with everything that grants them.
func powers() []trick {
	return []trick{
		{
			name: "a subresource in the name", plugin: plain,
			call:   call{function: patch, request: `{` + itemOf + `,"namespace":"{own}","name":"private/status","patchType":"merge","patch":{}}`},
			want:   []string{`may not contain '/'`},
			record: "patch items.inventory.example.com {own}/private/status error BadRequest",
		},
		{
			name: "the status, which the allowlist does not have", plugin: listed,
			call:   call{function: patchStatus, request: `{` + itemOf + `,` + ownKey + `,"patchType":"apply","patch":{` + itemOf + `,"metadata":{` + ownKey + `},"status":{"availability":"Discontinued"}}}`},
			want:   []string{`allowlist: cannot patch items.inventory.example.com/status`, `security.allowedResources does not have`},
			record: "patch items.inventory.example.com/status {own}/private denied allowlist Forbidden",
		},
		{
			name: "a verb that the allowlist does not have", plugin: listed,
			call:   call{function: deletes, request: `{` + itemOf + `,` + ownKey + `}`},
			want:   []string{`allowlist: cannot delete items`, `security.allowedVerbs does not have`},
			record: "delete items.inventory.example.com {own}/private denied allowlist Forbidden",
		},
		{
			name: "a Scale", plugin: plain,
			call:   call{function: update, request: object(`"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"namespace":"{own}","name":"scale"},"spec":{"replicas":9}`)},
			want:   []string{`is not installed`},
			record: "update Scale.autoscaling {own}/scale error BadRequest",
		},
		{
			name: "an Eviction", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"policy/v1","kind":"Eviction","metadata":{"namespace":"{own}","name":"eviction"}`)},
			want:   []string{`is not installed`},
			record: "create Eviction.policy {own}/eviction error BadRequest",
		},
		{
			name: "a token of another account", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","metadata":{"namespace":"{own}","name":"admin"},"spec":{"audiences":[]}`)},
			want:   []string{`is not installed`},
			record: "create TokenRequest.authentication.k8s.io {own}/admin error BadRequest",
		},
		{
			name: "a Secret that a token of another account is put into", plugin: plain,
			call:   call{function: creates, request: object(secretOf + `,"type":"kubernetes.io/service-account-token","metadata":{"namespace":"{own}","name":"token","annotations":{"kubernetes.io/service-account.name":"admin"}}`)},
			want:   []string{`cannot create resource \"secrets\"`},
			record: "create secrets {own}/token denied apiserver Forbidden",
		},
		{
			name: "exec", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"v1","kind":"PodExecOptions","metadata":{"namespace":"{own}","name":"exec"},"command":["sh"]`)},
			want:   []string{`is not installed`},
			record: "create PodExecOptions {own}/exec error BadRequest",
		},
		{
			name: "a Binding", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"v1","kind":"Binding","metadata":{"namespace":"{own}","name":"binding"},"target":{"kind":"Node","name":"node"}`)},
			want:   []string{`cannot create resource \"bindings\"`},
			record: "create bindings {own}/binding denied apiserver Forbidden",
		},
		{
			name: "the approval of a certificate", plugin: plain,
			call:   call{function: patchStatus, request: `{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","name":"mine/approval","patchType":"apply","patch":{}}`},
			want:   []string{`may not contain '/'`},
			record: "patch certificatesigningrequests.certificates.k8s.io/status /mine/approval error BadRequest",
		},
		{
			name: "a certificate", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":"mine"},"spec":{"request":"","signerName":"kubernetes.io/kube-apiserver-client","usages":["client auth"]}`)},
			want:   []string{`allowlist: cannot create certificatesigningrequests`},
			record: "create certificatesigningrequests.certificates.k8s.io /mine denied allowlist Forbidden",
		},
		{
			name: "finalize the other's Namespace", plugin: plain,
			call:   call{function: patch, request: `{"apiVersion":"v1","kind":"Namespace","name":"{other}/finalize","patchType":"merge","patch":{"spec":{"finalizers":[]}}}`},
			want:   []string{`may not contain '/'`},
			record: "patch namespaces /{other}/finalize error BadRequest",
		},
		{
			name: "a Pod with another account", plugin: plain,
			call:   call{function: creates, request: object(podOf + `,"metadata":{"namespace":"{own}","name":"pod"},"spec":{"serviceAccountName":"admin","containers":[{"name":"c","image":"i"}]}`)},
			want:   []string{`cannot create resource \"pods\"`},
			record: "create pods {own}/pod denied apiserver Forbidden",
		},
		{
			name: "a WasmPlugin with another account", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"plugins.k1s.io/v1alpha1","kind":"WasmPlugin","metadata":{"namespace":"{own}","name":"second"},"spec":{"serviceAccountName":"admin","source":{"configMap":{"name":"module-plain"}}}`)},
			want:   []string{`cannot create resource \"wasmplugins\"`},
			record: "create wasmplugins.plugins.k1s.io {own}/second denied apiserver Forbidden",
		},
		{
			name: "a WasmPlugin in the other's namespace", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"plugins.k1s.io/v1alpha1","kind":"WasmPlugin","metadata":{"namespace":"{other}","name":"second"},"spec":{"serviceAccountName":"admin","source":{"configMap":{"name":"module-plain"}}}`)},
			want:   []string{`allowlist: cannot create wasmplugins`},
			record: "create wasmplugins.plugins.k1s.io {other}/second denied allowlist Forbidden",
		},
		{
			name: "higher limits for oneself", plugin: plain,
			call:   call{function: patch, request: `{"apiVersion":"plugins.k1s.io/v1alpha1","kind":"WasmPlugin","namespace":"{own}","name":"plain","patchType":"merge","patch":{"spec":{"runtime":{"maxMemoryPages":65536},"security":{"allowedNamespaces":["*"]}}}}`},
			want:   []string{`cannot patch resource \"wasmplugins\"`},
			record: "patch wasmplugins.plugins.k1s.io {own}/plain denied apiserver Forbidden",
		},
		{
			name: "another digest in one's own status", plugin: plain,
			call:   call{function: patchStatus, request: `{"apiVersion":"plugins.k1s.io/v1alpha1","kind":"WasmPlugin","namespace":"{own}","name":"plain","patchType":"apply","force":true,"patch":{"apiVersion":"plugins.k1s.io/v1alpha1","kind":"WasmPlugin","metadata":{"namespace":"{own}","name":"plain"},"status":{"lastError":"none"}}}`},
			want:   []string{`cannot patch resource \"wasmplugins/status\"`},
			record: "patch wasmplugins.plugins.k1s.io/status {own}/plain denied apiserver Forbidden",
		},
		{
			name: "a RoleBinding", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"namespace":"{own}","name":"power"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"kind":"ServiceAccount","namespace":"{own}","name":"plugin"}]`)},
			want:   []string{`cannot create resource \"rolebindings\"`},
			record: "create rolebindings.rbac.authorization.k8s.io {own}/power denied apiserver Forbidden",
		},
		{
			name: "a RoleBinding in the other's namespace", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"namespace":"{other}","name":"power"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"kind":"ServiceAccount","namespace":"{own}","name":"plugin"}]`)},
			want:   []string{`allowlist: cannot create rolebindings`},
			record: "create rolebindings.rbac.authorization.k8s.io {other}/power denied allowlist Forbidden",
		},
		{
			name: "a ClusterRoleBinding", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"power"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"kind":"ServiceAccount","namespace":"{own}","name":"plugin"}]`)},
			want:   []string{`allowlist: cannot create clusterrolebindings`},
			record: "create clusterrolebindings.rbac.authorization.k8s.io /power denied allowlist Forbidden",
		},
		{
			name: "a binding to more than the account has, where it may create bindings", plugin: wide,
			call:   call{function: creates, request: object(`"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"namespace":"{own}","name":"power"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"kind":"ServiceAccount","namespace":"{own}","name":"wide"}]`)},
			want:   []string{`attempting to grant RBAC permissions not currently held`},
			record: "create rolebindings.rbac.authorization.k8s.io {own}/power denied apiserver Forbidden",
		},
		{
			name: "a Role with more than the account has, where it may change roles", plugin: wide,
			call:   call{function: patch, request: `{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","namespace":"{own}","name":"wide","patchType":"json","patch":[{"op":"add","path":"/rules/-","value":{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}}]}`},
			want:   []string{`attempting to grant RBAC permissions not currently held`},
			record: "patch roles.rbac.authorization.k8s.io {own}/wide denied apiserver Forbidden",
		},
		{
			name: "a Role in the namespace that one is allowed to watch", plugin: wide,
			call:   call{function: creates, request: object(`"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"namespace":"{other}","name":"power"},"rules":[]`)},
			want:   []string{`cannot create resource \"roles\"`},
			record: "create roles.rbac.authorization.k8s.io {other}/power denied apiserver Forbidden",
		},
		{
			name: "a Category in the namespace that one is allowed to watch", plugin: wide,
			call:   call{function: creates, request: object(categoryOf + `,"metadata":{"namespace":"{other}","name":"planted"},"spec":{"name":"planted"}`)},
			want:   []string{`cannot create resource \"categories\"`},
			record: "create categories.inventory.example.com {other}/planted denied apiserver Forbidden",
		},
		{
			name: "ask what others may do", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","metadata":{},"spec":{"user":"system:admin"}`)},
			want:   []string{`allowlist: cannot create subjectaccessreviews`},
			record: "create subjectaccessreviews.authorization.k8s.io / denied allowlist Forbidden",
		},
		{
			name: "a webhook for everybody's requests", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"mine"},"webhooks":[]`)},
			want:   []string{`allowlist: cannot create validatingwebhookconfigurations`},
			record: "create validatingwebhookconfigurations.admissionregistration.k8s.io /mine denied allowlist Forbidden",
		},
		{
			name: "another Namespace", plugin: plain,
			call:   call{function: creates, request: object(`"apiVersion":"v1","kind":"Namespace","metadata":{"name":"mine"}`)},
			want:   []string{`allowlist: cannot create namespaces`},
			record: "create namespaces /mine denied allowlist Forbidden",
		},

		{
			name: "HTTP without a host on the list", plugin: plain,
			call:   call{function: request, request: `{"url":"https://{server}/api/v1/namespaces/{other}/secrets","headers":{"Impersonate-User":"system:admin"}}`},
			want:   []string{`allowlist: cannot GET`},
			record: "GET http {server} denied allowlist Forbidden",
		},
		{
			name: "the API server over HTTP, as somebody else", plugin: wide,
			call:   call{function: request, request: `{"url":"https://{server}/api/v1/namespaces/{other}/secrets","headers":{"Impersonate-User":"system:admin"}}`},
			want:   []string{`address: cannot GET`},
			record: "GET http {server} denied address Forbidden",
		},
		{
			name: "the machine's metadata", plugin: wide,
			call:   call{function: request, request: `{"url":"http://169.254.169.254/latest/meta-data/"}`},
			want:   []string{`address: cannot GET`},
			record: "GET http 169.254.169.254:80 denied address Forbidden",
		},
		{
			name: "the operator's own port", plugin: wide,
			call:   call{function: request, request: `{"url":"http://127.0.0.1:8081/healthz"}`},
			want:   []string{`address: cannot GET`},
			record: "GET http 127.0.0.1:8081 denied address Forbidden",
		},
		{
			name: "the operator's own port, in another form", plugin: wide,
			call:   call{function: request, request: `{"url":"https://[::ffff:127.0.0.1]:8443/metrics"}`},
			want:   []string{`address: cannot GET`},
			record: "GET http [::ffff:127.0.0.1]:8443 denied address Forbidden",
		},
	}
}
