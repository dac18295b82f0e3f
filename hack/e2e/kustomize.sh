#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs config/default instead of the chart, twice, as an upgrade would, and looks whether the
# operator works. Called like run.sh; CustomResourceDefinitions are deleted at the end.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${KUBECONFIG:?names the cluster}" "${IMAGE:?names the image, as name:tag}"
KUBECTL=${KUBECTL:-kubectl}
readonly namespace=k1s-system overlay=bin/e2e

# shellcheck source=hack/e2e/lib.sh
. hack/e2e/lib.sh

mkdir -p $overlay
cat >$overlay/kustomization.yaml <<END
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../config/default]
images: [{name: ghcr.io/k1s-io/k1s, newName: ${IMAGE%:*}, newTag: ${IMAGE##*:}}]
END

step "Install config/default"
shown kube apply --server-side -k $overlay
operator_ready
expect "it may watch Items, through the aggregated role" yes may watch items.inventory.example.com

step "The operator works"
kube apply --server-side -f config/samples/inventory_v1alpha1_category.yaml -f config/samples/inventory_v1alpha1_item.yaml >/dev/null
expect "laptop-16 is" OutOfStock field item/laptop-16 '{.status.availability}'
expect "items in category laptops" 2 field category/laptops '{.status.itemCount}'

step "Apply it again"
kube apply --server-side -k $overlay >"$scratch/again" 2>&1 || die "$(cat "$scratch/again")"
held "nothing is in conflict"
operator_ready

step "Delete it, with the CustomResourceDefinitions and all that is of their kinds"
kube delete -k $overlay >/dev/null
expect "CustomResourceDefinitions" 0 count crds -l app.kubernetes.io/name=k1s
finished
