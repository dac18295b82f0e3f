# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the steps of run.sh and kustomize.sh are made of: they print what they do, so that the output
# is an account of what was held.
#
# The scripts set namespace and, where there is one, plugin:
# shellcheck disable=SC2154

patience=${PATIENCE:-90} # seconds; far more than anything takes
checks=0
forwards=() # processes
scratch=$(mktemp -d)

step() { printf '\n== %s\n' "$*"; }
note() { printf '   %s\n' "$*"; }
held() { checks=$((checks + 1)); printf ' ✓ %s\n' "$*"; }
kube() { "$KUBECTL" "$@"; }

# die tells what went wrong, and what the operator has to say about it.
die() {
  printf '\nFAILED: %s\n\n' "$*"
  kube -n "$namespace" get pods -o wide || true
  kube -n "$namespace" logs -l app.kubernetes.io/name=k1s --tail=40 --prefix || true
  kube get wasmplugins -A -o yaml || true
  exit 1
} >&2

# shown prints a command, under the name that a reader would type, and what it printed.
shown() {
  local command="$*"
  printf ' $ %s\n' "${command/#kube /kubectl }"
  "$@" 2>&1 | sed 's/^/   /'
}

# expect WHAT WANT COMMAND... waits until the command prints exactly that.
expect() {
  local what=$1 want=$2 got deadline=$((SECONDS + patience))
  shift 2
  until got=$("$@" 2>&1) && [ "$got" = "$want" ]; do
    [ "$SECONDS" -lt "$deadline" ] || die "$what is \"$got\", want \"$want\""
    sleep 0.5
  done
  held "$what: $want"
}

# expect_part WHAT PART COMMAND... waits until what the command prints contains a part.
expect_part() {
  local what=$1 part=$2 got deadline=$((SECONDS + patience))
  shift 2
  until got=$("$@" 2>&1) && [[ $got == *"$part"* ]]; do
    [ "$SECONDS" -lt "$deadline" ] || die "$what is \"$got\", which has no \"$part\""
    sleep 0.5
  done
  held "$what: $part"
}

# field OBJECT JSONPATH prints one field of an object in the samples' namespace.
field() { kube get "$1" -o "jsonpath=$2"; }

# condition TYPE [PLUGIN] prints the status of the plugin's condition.
condition() { field "wasmplugin/${2:-$plugin}" "{.status.conditions[?(@.type==\"$1\")].status}"; }

# may VERB RESOURCE reports whether the operator's account may do something in the whole cluster.
# kubectl exits with 1 when the answer is no.
may() { kube auth can-i "$1" "$2" --all-namespaces --as="system:serviceaccount:$namespace:k1s-manager" 2>/dev/null || true; }

# count prints how many objects a query finds.
count() { kube get "$@" -o name | wc -l | tr -d ' '; }

# try_item NAME SPEC prints what comes of creating an Item, without storing it.
try_item() {
  kube create --dry-run=server -o 'jsonpath={.spec.category}' -f - 2>&1 <<END || true
{apiVersion: inventory.example.com/v1alpha1, kind: Item, metadata: {name: $1}, spec: $2}
END
}

# asked says how many webhooks of plugins the API server asks.
asked() { count validatingwebhookconfigurations,mutatingwebhookconfigurations -l app.kubernetes.io/managed-by=k1s; }

# trusted reports whether the webhook configuration has the authority of the operator's certificate.
trusted() {
  local ca bundle
  ca=$(kube -n "$namespace" get secret k1s-webhook-cert -o 'jsonpath={.data.ca\.crt}') || return 1
  bundle=$(kube get validatingwebhookconfiguration k1s -o 'jsonpath={.webhooks[0].clientConfig.caBundle}') || return 1
  [ -n "$ca" ] && [ "$ca" = "$bundle" ] && echo yes
}

# pods prints what a JSONPath says of the operator's Pods.
pods() { kube -n "$namespace" get pods -l app.kubernetes.io/name=k1s -o "jsonpath=$1"; }

# denials prints what the API server has denied to the operator itself, not to a plugin. In the
# log, the quotation marks of the API server's message have backslashes before them.
denials() {
  kube -n "$namespace" logs -l app.kubernetes.io/name=k1s --tail=-1 |
    grep -Eo "User .{1,3}system:serviceaccount:$namespace:k1s-manager\W{1,4}cannot[^=]*" || true
}

# operator_ready waits for the rollout.
operator_ready() {
  kube -n "$namespace" rollout status deployment/k1s-manager --timeout="${patience}s" >/dev/null || die "the operator does not get ready"
  held "the operator is ready"
}

# store FILE [CONFIGMAP] puts a module into a ConfigMap, that of the plugin, compressed: a ConfigMap holds 1 MiB.
store() {
  local configmap=${2:-$plugin}
  gzip -9n <"$1" >"$scratch/plugin.wasm"
  kube create configmap "$configmap" --from-file="plugin.wasm=$scratch/plugin.wasm" --dry-run=client -o yaml |
    kube apply --server-side --field-manager=e2e -f - >/dev/null
  note "ConfigMap $configmap holds $(($(wc -c <"$1") >> 10)) KiB, $(($(wc -c <"$scratch/plugin.wasm") >> 10)) KiB compressed"
}

# move CATEGORY PARENT
move() {
  kube patch category "$1" --type=merge -p "{\"spec\":{\"parent\":\"$2\"}}" >/dev/null
  note "category $1 moves below $2"
}

# metrics_status PORT [TOKEN] prints the HTTP status that a reader with this token gets.
metrics_status() {
  local auth=()
  [ -z "${2:-}" ] || auth=(--header "Authorization: Bearer $2")
  curl --silent --insecure --max-time 10 --output "$scratch/metrics" --write-out '%{http_code}' \
    "${auth[@]}" "https://127.0.0.1:$1/metrics"
}

# forward NAMESPACE OBJECT PORT makes a port of a Pod or Service reachable at $forwarded, until
# stop_forward or the end of the script.
forward() {
  local output=$scratch/forward.$BASHPID deadline=$((SECONDS + patience))
  kube -n "$1" port-forward "$2" ":$3" >"$output" 2>&1 &
  forwards+=("$!")
  until forwarded=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' "$output") && [ -n "$forwarded" ]; do
    [ "$SECONDS" -lt "$deadline" ] || die "port-forward: $(cat "$output")"
    sleep 0.2
  done
}

# stop_forward ends the last port-forward.
stop_forward() {
  kill "${forwards[-1]}" 2>/dev/null || true
  unset 'forwards[-1]'
}

leave() {
  while [ "${#forwards[@]}" -gt 0 ]; do stop_forward; done
  rm -rf "$scratch"
}
trap leave EXIT

finished() { printf '\n%d checks held in %d s.\n' "$checks" "$SECONDS"; }
