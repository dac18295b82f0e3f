#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the chart on a cluster that has the operator's image, and holds what the operator does
# against what the samples say. Every step prints what it found; the first that fails ends it.
# Meant for a throw-away cluster: it uses the namespaces k1s-system, e2e-registry and default.
#
#   make plugins
#   IMAGE=ghcr.io/k1s-io/k1s:dev REGISTRY_IMAGE=ghcr.io/k1s-io/k1s-registry:dev KUBECONFIG=… hack/e2e/run.sh
#
# HELM, KUBECTL, ORAS and COSIGN name other programs than those on the PATH, CHART another folder or
# package. Go builds the plugin's next version.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${KUBECONFIG:?names the cluster}" "${IMAGE:?names the image, as name:tag}" "${REGISTRY_IMAGE:?names the image of the registry}"
HELM=${HELM:-helm}
KUBECTL=${KUBECTL:-kubectl}
ORAS=${ORAS:-oras}
COSIGN=${COSIGN:-cosign}
CHART=${CHART:-charts/k1s}
readonly namespace=k1s-system plugin=category-hierarchy samples=config/samples
readonly validator=item-validator
readonly account=system:serviceaccount:default:$plugin
readonly next_version=v1.1.0

# shellcheck source=hack/e2e/lib.sh
. hack/e2e/lib.sh
# shellcheck source=hack/e2e/registry.sh
. hack/e2e/registry.sh

# chart COMMAND FLAG... runs helm install or upgrade with the image under test.
chart() {
  shown "$HELM" "$@" k1s "$CHART" --namespace "$namespace" --wait --timeout "${patience}s" \
    --set "image.repository=${IMAGE%:*},image.tag=${IMAGE##*:}"
}

step "What it is tried with"
shown kube version
shown "$HELM" version --short
note "image $IMAGE"

step "Install the chart, where Pods must meet the Pod Security Standard \"restricted\""
kube create namespace "$namespace" --dry-run=client -o yaml | kube apply --server-side -f - >/dev/null
kube label --overwrite namespace "$namespace" pod-security.kubernetes.io/enforce=restricted >/dev/null
chart install
operator_ready
for crd in items.inventory.example.com categories.inventory.example.com wasmplugins.plugins.k1s.io; do
  expect "CustomResourceDefinition $crd is established" True \
    kube get crd "$crd" -o 'jsonpath={.status.conditions[?(@.type=="Established")].status}'
done
expect_part "the leader is the Pod" "$(pods '{.items[0].metadata.name}')_" \
  kube -n "$namespace" get lease k1s.plugins.k1s.io -o 'jsonpath={.spec.holderIdentity}'

step "The operator has no more permissions than it needs"
expect "it may watch Items" yes may watch items.inventory.example.com
expect "it may watch Deployments" no may watch deployments.apps
expect "it may read Secrets" no may get secrets
expect "it may change Items" no may update items.inventory.example.com
expect "it may impersonate users" no may impersonate users
expect "it may watch Roles" yes may watch roles.rbac.authorization.k8s.io
expect "it may change Roles" no may update roles.rbac.authorization.k8s.io

step "Webhooks have a certificate that the API server trusts"
expect "caBundle is ca.crt of the Secret" yes trusted
kube -n "$namespace" delete secret k1s-webhook-cert >/dev/null
note "deleted the Secret"
expect "caBundle is ca.crt of the Secret" yes trusted

step "Embedded controllers: Items and Categories"
shown kube apply --server-side -f $samples/inventory_v1alpha1_category.yaml -f $samples/inventory_v1alpha1_item.yaml
for is in laptop-14=Available laptop-16=OutOfStock headphones=Reserved cassette-recorder=Discontinued; do
  expect "${is%=*} is" "${is#*=}" field "item/${is%=*}" '{.status.availability}'
done
expect "items in category laptops" 2 field category/laptops '{.status.itemCount}'
expect "subcategories of electronics" 2 field category/electronics '{.status.subcategoryCount}'

step "A WASM plugin from a ConfigMap"
store plugins/$plugin.wasm
shown kube apply --server-side -f $samples/category-hierarchy-rbac.yaml -f $samples/plugins_v1alpha1_wasmplugin.yaml
expect "the plugin is Ready" True condition Ready
for is in electronics=electronics computers=electronics/computers laptops=electronics/computers/laptops audio=electronics/audio; do
  expect "path of ${is%=*}" "${is#*=}" field "category/${is%=*}" '{.status.path}'
done
expect "depth of laptops" 2 field category/laptops '{.status.depth}'
expect_part "fields of field manager k1s/default/$plugin" '"f:path"' \
  kube get category laptops --show-managed-fields -o "jsonpath={.metadata.managedFields[?(@.manager==\"k1s/default/$plugin\")].fieldsV1}"
shown kube get wasmplugins -o wide
shown kube get items
shown kube get categories

step "A second version takes over, without a restart"
pod=$(pods '{.items[*].metadata.name}')
GOOS=wasip1 GOARCH=wasm go -C plugins/$plugin build -buildmode=c-shared -trimpath \
  -ldflags "-s -w -X main.version=$next_version" -o "$scratch/next.wasm" .
store "$scratch/next.wasm"
expect "version that serves" $next_version field wasmplugin/$plugin '{.status.revision.version}'
move audio computers
expect "path of audio" electronics/computers/audio field category/audio '{.status.path}'

step "A module that is not WebAssembly leaves the previous revision serving"
echo "this is not WebAssembly" >"$scratch/broken.wasm"
store "$scratch/broken.wasm"
expect "the plugin is Degraded" True condition Degraded
move audio electronics
expect "path of audio" electronics/audio field category/audio '{.status.path}'
store "$scratch/next.wasm"
expect "the plugin is Degraded" False condition Degraded

step "A plugin that requests wait for, through the Service of the chart"
store plugins/$validator.wasm $validator
shown kube apply --server-side -f $samples/$validator.yaml
expect "the plugin is Ready" True condition Ready $validator
expect "webhook configurations of plugins" 2 asked
expect_part "their owner is" "ClusterRole k1s-manager" \
  kube get mutatingwebhookconfiguration k1s.default.$validator -o 'jsonpath={.metadata.ownerReferences[0].kind} {.metadata.ownerReferences[0].name}'
expect "category of an Item without one" uncategorized try_item defaulted '{name: Ring, quantity: 1, price: 100}'
expect_part "an Item that breaks a rule" 'denied the request: spec.price must be set in the category "premium-rings"' \
  try_item denied '{name: Ring, quantity: 1, category: premium-rings}'

step "A permission that is removed: the API server denies the plugin"
kube get role $plugin -o json >"$scratch/role.json"
grep -q '"categories/status"' "$scratch/role.json" || die "the sample's Role grants nothing on categories/status"
sed 's|"categories/status"|"categories/scale"|' "$scratch/role.json" | kube replace -f - >/dev/null
note "Role $plugin no longer grants categories/status"
move audio computers
expect_part "event" "User \"$account\" cannot patch resource \"categories/status\"" \
  kube get events --field-selector=reason=ReconcileFailed -o 'jsonpath={.items[*].message}'
expect "path of audio, unchanged" electronics/audio field category/audio '{.status.path}'
kube get role $plugin -o json | sed 's|"categories/scale"|"categories/status"|' | kube replace -f - >/dev/null
note "Role $plugin grants categories/status again"
expect "path of audio" electronics/computers/audio field category/audio '{.status.path}'
expect "the operator's Pod is the one of the beginning; restarts" "$pod 0" \
  pods '{range .items[*]}{.metadata.name} {.status.containerStatuses[0].restartCount}{end}'
expect "what the API server denied to the operator itself" "" denials

step "Metrics are for those who may read them"
kube create serviceaccount metrics-reader --dry-run=client -o yaml | kube apply --server-side -f - >/dev/null
forward "$namespace" service/k1s-metrics 8443
expect "HTTP status without a token" 401 metrics_status "$forwarded"
expect "HTTP status with a token without the right" 403 metrics_status "$forwarded" "$(kube create token default)"
# The operator remembers its "no" for half a minute, so the right goes to another account.
kube create clusterrolebinding e2e-metrics-reader --clusterrole=k1s-metrics-reader --serviceaccount=default:metrics-reader >/dev/null
expect "HTTP status with a token with the right" 200 metrics_status "$forwarded" "$(kube create token metrics-reader)"
note "$(grep -c '^# HELP' "$scratch/metrics") metrics, among them: $(grep -o '^# HELP controller_runtime_reconcile_total' "$scratch/metrics")"
stop_forward

step "The Pod is deleted: another one takes up its work"
loaded=$(field wasmplugin/$plugin '{.status.revision.loadedAt}')
kube -n "$namespace" delete pod "$pod" >/dev/null
note "deleted $pod"
operator_ready
move audio electronics
expect "path of audio" electronics/audio field category/audio '{.status.path}'
expect "the plugin is Ready" True condition Ready
note "loaded at $loaded before, at $(field wasmplugin/$plugin '{.status.revision.loadedAt}') now"

step "Upgrade: two replicas, one more watched type, impersonation in one namespace only"
chart upgrade --hide-notes --set 'replicas=2,watchedTypes[0].apiGroups[0]=apps,watchedTypes[0].resources[0]=deployments,impersonation.namespaces[0]=default'
operator_ready
expect "Pods" 2 count -n "$namespace" pods -l app.kubernetes.io/name=k1s --field-selector=status.phase=Running
expect "Pods that may be disrupted" 1 kube -n "$namespace" get poddisruptionbudget k1s-manager -o 'jsonpath={.status.disruptionsAllowed}'
expect "it may watch Deployments" yes may watch deployments.apps
expect "it may impersonate ServiceAccounts everywhere" no may impersonate serviceaccounts
expect "category of an Item without one" uncategorized try_item defaulted '{name: Ring, quantity: 1, price: 100}'
move audio computers
expect "path of audio" electronics/computers/audio field category/audio '{.status.path}'
shown kube -n "$namespace" get pods,poddisruptionbudgets,leases

step "Plugins from a private registry in the cluster, for both replicas"
start_registry
kube create configmap registry-ca --from-file=ca.crt="$scratch/ca.crt" >/dev/null
push "$scratch/next.wasm" plugins/$plugin:$next_version
hierarchy=$pushed
push plugins/$validator.wasm plugins/$validator:$next_version
registry_source $plugin plugins/$plugin:$next_version
expect "why it is not Fetched" Unauthorized reason Fetched $plugin
note "$(message Fetched $plugin)"
move audio electronics
expect "path of audio, by the revision from the ConfigMap" electronics/audio field category/audio '{.status.path}'
pull_secret $plugin $validator
registry_source $plugin plugins/$plugin:$next_version '"pullSecrets":[{"name":"registry"}]'
expect "digest of the artifact" "$hierarchy" field wasmplugin/$plugin '{.status.artifact.digest}'
expect "the plugin is Ready" True condition Ready
registry_source $validator plugins/$validator:$next_version '"pullSecrets":[{"name":"registry"}]'
expect "digest of the artifact" "$pushed" field wasmplugin/$validator '{.status.artifact.digest}'
kube delete configmap $plugin $validator >/dev/null
note "deleted the ConfigMaps of both modules"
for pod in $(pods '{.items[*].metadata.name}'); do
  expect "artifacts that $pod has pulled" 2 pulled "$pod"
done

step "Only what is signed serves"
cosign_key
kube create configmap cosign --from-file="$scratch/cosign.pub" >/dev/null
signed='"verify":{"cosign":{"publicKeys":[{"configMapKeyRef":{"name":"cosign","key":"cosign.pub"}}]}}'
registry_source $plugin plugins/$plugin:$next_version "$signed"
expect "why its signature does not count" NotSigned reason SignatureVerified $plugin
note "$(message SignatureVerified $plugin)"
move audio computers
expect "path of audio, by the previous revision" electronics/computers/audio field category/audio '{.status.path}'
sign plugins/$plugin "$hierarchy"
expect "its signature counts" True condition SignatureVerified
expect "the plugin is Ready" True condition Ready
note "signer: $(field wasmplugin/$plugin '{.status.artifact.signer}')"
push "$scratch/broken.wasm" plugins/$plugin:moved
registry_source $plugin plugins/$plugin:moved "$signed"
expect "why another artifact does not serve" NotSigned reason SignatureVerified $plugin
expect "the plugin is Degraded" True condition Degraded
move audio electronics
expect "path of audio" electronics/audio field category/audio '{.status.path}'
registry_source $plugin plugins/$plugin:$next_version "$signed"
expect "the plugin is Ready" True condition Ready

step "The registry is down: nothing changes. When it is back, a new Pod pulls what it needs"
outage on
move audio computers
expect "path of audio" electronics/computers/audio field category/audio '{.status.path}'
expect "category of an Item without one" uncategorized try_item defaulted '{name: Ring, quantity: 1, price: 100}'
outage off
leader=$(kube -n "$namespace" get lease k1s.plugins.k1s.io -o 'jsonpath={.spec.holderIdentity}')
kube -n "$namespace" delete pod "${leader%%_*}" >/dev/null
note "deleted the leader, ${leader%%_*}"
operator_ready
for pod in $(pods '{.items[*].metadata.name}'); do
  expect "artifacts that $pod has pulled" 2 pulled "$pod"
done
move audio electronics
expect "path of audio" electronics/audio field category/audio '{.status.path}'

step "Uninstall: what belongs to users stays"
shown "$HELM" uninstall k1s --namespace "$namespace" --wait
expect "Pods" 0 count -n "$namespace" pods
expect "ClusterRoles and their bindings" 0 count clusterroles,clusterrolebindings -l app.kubernetes.io/instance=k1s
expect "Items" 5 count items
expect "Categories" 4 count categories
expect "WasmPlugins" 2 count wasmplugins
expect "webhook configurations, of the chart" 0 count validatingwebhookconfigurations k1s --ignore-not-found
expect "webhook configurations of plugins, which the garbage collector deletes" 0 asked
expect "category of an Item without one" "" try_item left '{name: Ring, quantity: 1, price: 100}'
expect "an Item that breaks a rule is in the category" premium-rings try_item allowed '{name: Ring, quantity: 1, category: premium-rings}'

step "Install again: it goes on where it stopped"
move audio computers
chart install --hide-notes
operator_ready
expect "path of audio" electronics/computers/audio field category/audio '{.status.path}'
expect "the plugin is Ready" True condition Ready
expect "category of an Item without one" uncategorized try_item defaulted '{name: Ring, quantity: 1, price: 100}'

step "Clean up"
kube delete wasmplugin $plugin $validator >/dev/null
stop_registry
expect "webhook configurations of plugins" 0 asked
kube delete --ignore-not-found -f $samples/$validator.yaml >/dev/null
kube delete -f $samples/category-hierarchy-rbac.yaml -f $samples/inventory_v1alpha1_item.yaml -f $samples/inventory_v1alpha1_category.yaml >/dev/null
held "objects can be deleted while the operator runs"
kube delete clusterrolebinding e2e-metrics-reader >/dev/null
kube delete serviceaccount metrics-reader >/dev/null
"$HELM" uninstall k1s --namespace "$namespace" --wait >/dev/null
kube delete namespace "$namespace" >/dev/null
finished
