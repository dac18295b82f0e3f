# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A registry in the cluster, with TLS and a password, and what its users do: oras and cosign reach
# it through a forwarded port, the operator through its Service.
#
# The functions of lib.sh are used, and what run.sh sets:
# shellcheck disable=SC2154

readonly registry_namespace=e2e-registry registry_user=ada registry_password=k1s-e2e
readonly registry=registry.$registry_namespace.svc.cluster.local:5000
# oras and cosign keep the credential of the registry here, and the password of the key that signs.
export DOCKER_CONFIG=$scratch/docker COSIGN_PASSWORD=e2e

# registry_certificate creates a CA, which is its own certificate, for the names of the registry.
registry_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=e2e-registry \
    -addext "subjectAltName=DNS:${registry%:*},DNS:localhost" \
    -keyout "$scratch/tls.key" -out "$scratch/ca.crt" 2>/dev/null
}

# start_registry runs the registry, forwards $registry_port to it, and logs in.
start_registry() {
  kube create namespace "$registry_namespace" --dry-run=client -o yaml | kube apply --server-side -f - >/dev/null
  registry_certificate
  kube -n "$registry_namespace" create secret tls registry-tls --cert="$scratch/ca.crt" --key="$scratch/tls.key" >/dev/null
  kube -n "$registry_namespace" create secret generic registry-user --from-literal="user=$registry_user:$registry_password" >/dev/null
  sed "s|IMAGE\$|$REGISTRY_IMAGE|" hack/e2e/registry.yaml | kube apply --server-side -f - >/dev/null
  kube -n "$registry_namespace" rollout status deployment/registry --timeout="${patience}s" >/dev/null || die "the registry does not get ready"
  forward "$registry_namespace" service/registry 5000
  readonly registry_port=$forwarded
  "$ORAS" login "localhost:$registry_port" --plain-http=false --ca-file "$scratch/ca.crt" \
    --username "$registry_user" --password-stdin <<<"$registry_password" >/dev/null
  held "a registry runs as $registry"
}

# stop_registry deletes the registry, and what refers to it in the samples' namespace.
stop_registry() {
  kube delete namespace "$registry_namespace" >/dev/null
  kube delete secret,role,rolebinding registry >/dev/null
  kube delete configmap registry-ca cosign >/dev/null
}

# push FILE REPOSITORY:TAG pushes a module, and sets $pushed to the digest of the artifact.
push() {
  cp "$1" "$scratch/plugin.wasm"
  pushed=$(cd "$scratch" && "$ORAS" push --plain-http=false --ca-file ca.crt --format 'go-template={{.digest}}' \
    "localhost:$registry_port/$2" plugin.wasm:application/wasm)
  note "pushed $2, $pushed"
}

# sign REPOSITORY DIGEST signs an artifact with the key of cosign_key.
sign() {
  "$COSIGN" sign --yes --key "$scratch/cosign.key" --use-signing-config=false --tlog-upload=false \
    --registry-cacert "$scratch/ca.crt" "localhost:$registry_port/$1@$2" >"$scratch/cosign.log" 2>&1 || die "cosign sign: $(cat "$scratch/cosign.log")"
  note "signed $1@$2 with cosign"
}

# cosign_key generates a pair of keys.
cosign_key() { (cd "$scratch" && "$COSIGN" generate-key-pair >/dev/null 2>&1); }

# registry_source PLUGIN REFERENCE [JSON...] makes an artifact the source of a plugin, with more members.
registry_source() {
  local name=$1 reference=$2
  shift 2
  local members="\"reference\":\"$registry/$reference\",\"caBundle\":{\"name\":\"registry-ca\",\"key\":\"ca.crt\"}" m
  for m in "$@"; do members+=",$m"; done
  kube patch wasmplugin "$name" --type=merge -p "{\"spec\":{\"source\":{\"configMap\":null,\"oci\":{$members}}}}" >/dev/null
  note "WasmPlugin $name has the source $reference"
}

# pull_secret PLUGIN... creates the Secret "registry" with the credential, which the ServiceAccounts of the plugins may get.
pull_secret() {
  kube create secret docker-registry registry --docker-server="$registry" --docker-username="$registry_user" \
    --docker-password="$registry_password" >/dev/null
  kube create role registry --verb=get --resource=secrets --resource-name=registry >/dev/null
  kube create rolebinding registry --role=registry "${@/#/--serviceaccount=default:}" >/dev/null
  note "Secret registry has the credential, for the ServiceAccounts $*"
}

# pulled POD prints how many different plugins of a replica have pulled their artifact.
pulled() {
  forward "$namespace" "pod/$1" 8443
  metrics_status "$forwarded" "$(kube create token metrics-reader)" >/dev/null
  stop_forward
  grep '^k1s_plugin_pulls_total{.*result="Succeeded"' "$scratch/metrics" | grep -o 'plugin="[^"]*"' | sort -u | wc -l
}

# reason TYPE PLUGIN prints the reason of the plugin's condition.
reason() { field "wasmplugin/$2" "{.status.conditions[?(@.type==\"$1\")].reason}"; }

# message TYPE PLUGIN prints the message of the plugin's condition.
message() { field "wasmplugin/$2" "{.status.conditions[?(@.type==\"$1\")].message}"; }

# outage on|off takes the registry away from its Service, so that no connection succeeds, or puts it back.
outage() {
  local app=registry
  [ "$1" = off ] || app=none
  kube -n "$registry_namespace" patch service registry --type=merge -p "{\"spec\":{\"selector\":{\"app\":\"$app\"}}}" >/dev/null
  note "outage of the registry: $1"
}
